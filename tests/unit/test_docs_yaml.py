"""All YAML that the documentation and the examples show is read by the real reader, and right."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.definitions.scalars import plain_deep
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.schema import pipeline_schema
from analytics_automated.pipelines.files.source import read_document
from documented_yaml import (
    DOCS,
    LOOKS_LIKE_ONE,
    ROOT,
    Block,
    code_blocks,
    example_files,
    read_with_files,
    recipe_folders,
    yaml_blocks,
)

WHOLE = [block for block in yaml_blocks() if block.is_whole]
PARTS = [block for block in yaml_blocks() if not block.is_whole]
NOT_INSTALLED = {"bed"}
"""Validators that the documentation shows how to write."""


def faults(configuration: Configuration, *, all_backends: bool = True) -> list[str]:
    """Everything that the reader and the checks say, warnings too."""
    checked = check_configuration(
        configuration.backends,
        configuration.tasks,
        configuration.jobs,
        unreadable=configuration.unreadable,
        all_backends=all_backends,
    )
    found = [str(problem) for problem in [*configuration.problems, *checked.problems]]
    return found or [f"{name} has no plan" for name in set(configuration.jobs) - set(checked.plans)]


def test_there_is_yaml_in_the_documentation() -> None:
    assert len(WHOLE) > 8
    assert len(PARTS) > 5


@pytest.mark.parametrize("block", WHOLE, ids=str)
def test_a_pipeline_file_in_the_documentation_is_right(block: Block, tmp_path: Path) -> None:
    assert faults(read_with_files(block.as_file, tmp_path)) == []


@pytest.mark.parametrize("block", PARTS, ids=str)
def test_a_part_of_a_pipeline_file_is_right_as_far_as_it_goes(block: Block, tmp_path: Path) -> None:
    said = faults(read_with_files(block.as_file, tmp_path), all_backends=False)

    # What stands elsewhere in the file is not on the page.
    elsewhere = (
        "steps: is missing",
        "there is no task ",
        *(f"there is no validator {name!r}" for name in NOT_INSTALLED),
    )
    assert [fault for fault in said if not any(words in fault for words in elsewhere)] == []


@pytest.mark.parametrize("path", example_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_pipeline_file_of_the_examples_is_right(path: Path, tmp_path: Path) -> None:
    backends = path.with_name("backend.yaml")
    read = read_with_files(path.read_text(), tmp_path)
    if backends.exists() and path != backends:
        read.backends.update(read_with_files(backends.read_text(), tmp_path, backends.name).backends)

    assert faults(read) == []


def test_no_block_escapes_the_reader() -> None:
    """YAML is called so, in no other spelling, and what looks like a pipeline file is in such a block."""
    spelled = {block.language for block in code_blocks() if block.language.lower().strip("{}") in {"yml", "yaml"}}
    hidden = [block for block in code_blocks() if block.language != "yaml" and LOOKS_LIKE_ONE.search(block.text)]

    assert spelled == {"yaml"}
    assert [str(block) for block in hidden] == []


def test_all_of_it_pleases_the_schema_for_editors() -> None:
    schema = Draft202012Validator(pipeline_schema())
    texts = [(str(block), block.as_file) for block in WHOLE]
    texts += [(path.name, path.read_text()) for path in example_files()]
    read = [(place, plain_deep(read_document(text, place).data)) for place, text in texts]

    assert [(place, error.message) for place, data in read for error in schema.iter_errors(data)] == []


def test_all_of_it_can_be_applied_together(tmp_path: Path) -> None:
    texts = [(str(block), block.as_file) for block in WHOLE]
    texts += [(str(path), path.read_text()) for path in example_files()]
    owners: dict[tuple[str, str], set[str]] = {}
    for _, text in texts:
        for (section, name), pipeline in read_with_files(text, tmp_path).pipelines.items():
            owners.setdefault((section, name.lower()), set()).add(pipeline)

    assert {name: pipelines for name, pipelines in owners.items() if len(pipelines) > 1} == {}


def test_every_recipe_has_a_page_that_shows_its_very_files() -> None:
    recipes = {folder.name: folder for folder in recipe_folders()}
    pages = {page.stem: page for page in (DOCS / "recipes").glob("*.md") if page.stem != "index"}
    index = (DOCS / "recipes" / "index.md").read_text()

    assert set(pages) == set(recipes)
    for name, page in pages.items():
        blocks = [block for block in code_blocks() if block.page == page]
        shown = {
            (page.parent / block.language.removeprefix("{literalinclude}").strip()).resolve()
            for block in blocks
            if block.language.startswith("{literalinclude}")
        }
        assert set(recipes[name].glob("*.yaml")) <= shown, f"{page} shows not all pipeline files of the recipe"
        assert all(path.is_relative_to(recipes[name]) and path.is_file() for path in shown)
        assert [str(block) for block in blocks if block.language == "yaml"] == [], "one source"
        assert f"({name}.md)" in index
        assert f"\n{name}\n" in index, "in the table of contents"
