"""A page of the documentation as its reader walks through it: saving files, typing what the shell blocks show, and
looking whether the same comes out."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from integration.live import AA, MORTAL, ROOT, Service

_FENCE = re.compile(r"^```(?P<language>bash|text|yaml)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "-- end of block --"


@dataclass
class Block:
    """Something to do: a shell block, with the output that is shown below it, or a file to save."""

    line: int
    language: str
    text: str
    before: str
    """The prose in front of it."""
    shown: str | None = None
    """What a shell block prints, as the page says; none where it does not."""


def blocks_of(page: str) -> list[Block]:
    """The blocks in order. A `text` block is the output of the shell block that it directly follows."""
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(page):
        before, end = page[end : match.start()], match.end()
        if match["language"] == "text":
            assert found, "an output without a command"
            assert not before.strip(), f"text between a command and its output: {before.strip()!r}"
            found[-1].shown = match["text"]
        else:
            line = page.count("\n", 0, match.start()) + 1
            found.append(Block(line, match["language"], match["text"], before.strip()))
    return found


class Reader:
    """Someone with a home folder of their own, a shell, and A_A in `~/a_a`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.served: Service | None = None
        self.up: subprocess.Popen[str] | None = None
        (home / "a_a").mkdir(parents=True)
        # In the place of `make install`: the environment that the tests run in.
        (home / "a_a/.venv").symlink_to(AA.parents[1])
        own = str(AA.parent)
        path = [folder for folder in os.environ["PATH"].split(":") if folder and folder != own]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AA_", "DJANGO_"))}
        self.env = {**inherited, "HOME": str(home), "PATH": ":".join(path)}
        self.shell = subprocess.Popen(
            [*MORTAL, "/bin/bash"], cwd=ROOT, env=self.env, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def walk(self, block: Block) -> str:
        """Do what the block says; what it printed."""
        if block.language == "yaml":
            name = re.findall(r"`(\w+\.yaml)`", block.before)[-1]
            (self._folder() / name).write_text(block.text)
            return ""
        if block.text == "aa up\n":
            return self._serve()
        text = re.sub(r"^make install$", "", block.text, flags=re.MULTILINE)
        if self.served is not None:
            text = text.replace("http://127.0.0.1:8000", self.served.address)
            text = text.replace("\nsleep 1\n", f"\n{self._waiting()}\n")
        return self._type(text)

    def close(self) -> None:
        """Ctrl-C, and the terminal closed."""
        if self.served is not None:
            self.served.close()
        if self.up is not None:
            self.up.terminate()
            self.up.communicate(timeout=30)
        self.shell.communicate("exit\n", timeout=30)

    def _folder(self) -> Path:
        return Path(self._type("pwd\n").strip())

    def _type(self, text: str) -> str:
        assert self.shell.stdin is not None
        self.shell.stdin.write(f"{text}\necho '{_END}'\n")
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        assert self.shell.stdout is not None
        for line in self.shell.stdout:
            if line == f"{_END}\n":
                return
            yield line
        raise AssertionError("the shell has ended")

    def _serve(self) -> str:
        folder = self._folder()
        with (self.home / "up.log").open("w") as log:
            self.up = subprocess.Popen(
                [*MORTAL, str(AA), "up", "--port", "0"], cwd=folder, env=self.env, text=True,
                stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        assert self.up.stdout is not None
        said = self.up.stdout.readline()
        address = re.search(r"http://[^/\s]+", said)
        assert address, (self.home / "up.log").read_text()
        self.served = Service(address[0])
        self.served.get("/api/v1/jobs")
        return said

    def _waiting(self) -> str:
        """In the place of a second's sleep: until the submission has ended, however slow the machine is."""
        assert self.served is not None
        # Before the first list there are only the submission's own times.
        ended = """grep --quiet '^[^[]*"finished":"'"""
        return f"until curl --silent {self.served.address}/api/v1/submissions/$id | {ended}; do sleep 0.1; done"


def comparable(text: str, home: Path) -> str:
    """The text without what differs from run to run: times, ids, ports and the home folder."""
    text = re.sub(r"\d+\.\d s\b", "0.0 s", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", text)
    return text.replace(str(home), "/home/you")
