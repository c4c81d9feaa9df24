"""The YAML that the documentation shows, and how a reader of pipeline files meets it."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.reader import read_files
from analytics_automated.pipelines.files.source import read_document

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *EXAMPLES.rglob("*.md"), *(ROOT / "bench").rglob("*.md")])
WHOLE = "format: 1"
"""How a block begins that is a whole pipeline file."""
PART = re.compile(r"# Part of a file(?:, below `(?P<below>[\w.]+)`)?(?:[,:] .*)?\n")
"""How any other begins. It stands below that key, where `NAME` is any name; else at the top of a file."""
LOOKS_LIKE_ONE = re.compile(r"^(format: 1|pipeline: \w+|(backends|tasks|jobs):)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code on a page, however it is fenced or indented."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Where it stands."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_whole(self) -> bool:
        """True for a whole pipeline file."""
        return self.text.startswith(WHOLE)

    @property
    def as_file(self) -> str:
        """A whole pipeline file with the block's text in its place."""
        if self.is_whole:
            return self.text
        found = PART.match(self.text)
        assert found, f"{self} begins neither with `{WHOLE}` nor with `# Part of a file`"
        keys = found["below"].replace("NAME", "a_name").split(".") if found["below"] else []
        above = "".join(f"{'  ' * depth}{key}:\n" for depth, key in enumerate(keys))
        said = "" if re.search(rf"^{WHOLE}$", self.text, re.MULTILINE) else f"{WHOLE}\n"
        return f"{said}pipeline: a_part\n{above}{textwrap.indent(self.text, '  ' * len(keys))}"


def code_blocks() -> list[Block]:
    """All blocks of code of all pages: fenced or indented, in lists and quotes too."""
    return [
        Block(page, token.map[0] + 1, token.info.strip(), token.content)
        for page in PAGES
        for token in MarkdownIt().parse(page.read_text())
        if token.type in {"fence", "code_block"} and token.map
    ]


def yaml_blocks() -> list[Block]:
    """Those of YAML."""
    return [block for block in code_blocks() if block.language == "yaml"]


def recipe_folders() -> list[Path]:
    """The recipes of the examples."""
    return sorted(path for path in (EXAMPLES / "recipes").iterdir() if path.is_dir())


def example_files() -> list[Path]:
    """All pipeline files of the examples, those of the recipes too."""
    return sorted(EXAMPLES.rglob("*.yaml"))


def read_with_files(text: str, folder: Path, name: str = "pipeline.yaml") -> Configuration:
    """Read a file's text by the real reader, from a folder in which all files that it may name are there."""
    for word in _words(read_document(text, name).data):
        if re.fullmatch(r"\w[\w-]*(/[\w-]+)*\.\w+", word) and not (folder / word).exists():
            (folder / word).parent.mkdir(parents=True, exist_ok=True)
            (folder / word).write_text("# something\n")
    path = folder / name
    path.write_text(text)
    return read_files([path])


def _words(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        yield from (word for value in data.values() for word in _words(value))
    elif isinstance(data, list):
        yield from (word for value in data for word in _words(value))
    elif isinstance(data, str):
        yield str(data)
