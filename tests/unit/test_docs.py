"""The documentation is whole, and what it shows is true."""

import ast
import re
import sys
from pathlib import Path
from typing import get_type_hints

import click
import pytest
from pydantic import BaseModel

from analytics_automated import cli
from analytics_automated.config.data_folder import DataFolder
from analytics_automated.config.environment import PREFIX, Settings
from analytics_automated.executors.limits import LocalOptions
from analytics_automated.executors.registry import executor_class
from analytics_automated.pipelines.checks.support import WITHOUT_EFFECT
from analytics_automated.pipelines.definitions import (
    BackendDefinition,
    JobDefinition,
    JobInputDefinition,
    StepDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.resources import ResourcesDefinition
from analytics_automated.pipelines.validators.registry import validator_class
from analytics_automated.runs.workdirs import WorkFolder
from documented_yaml import DOCS, PAGES, ROOT, code_blocks

SOURCE = ROOT / "src" / "analytics_automated"
sys.path.insert(0, str(DOCS / "_ext"))

import generated_reference  # noqa: E402
from generated_reference.commands import shown_options  # noqa: E402
from generated_reference.executors import own_executors  # noqa: E402
from generated_reference.http import operations, shown_path  # noqa: E402
from generated_reference.kinds import NAMED, description_of, models_in  # noqa: E402
from generated_reference.pipeline_file import sections  # noqa: E402
from generated_reference.support import unsupported_values  # noqa: E402
from generated_reference.validators import own_validators  # noqa: E402
from generated_reference.values import KINDS  # noqa: E402

FENCE = re.compile(r"^(?P<fence>```+)(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
NO_SETTINGS = {"AA_ATTEMPT", "AA_STRESS_MESSAGES"}
"""Variables that are not for operators."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def reference(page: str) -> str:
    """A page of the reference as readers have it."""
    return generated_reference.fill((DOCS / "reference" / page).read_text())


def blocks(*languages: str) -> list[tuple[str, str]]:
    """The pages' blocks of those languages, each with where it stands."""
    return [(str(block), block.text) for block in code_blocks() if block.language in languages]


def test_every_generated_part_has_its_place_on_one_page() -> None:
    asked = [
        part for page in PAGES for part in re.findall(r"^<!-- generated: (.*) -->$", page.read_text(), re.MULTILINE)
    ]

    assert sorted(asked) == sorted(generated_reference.PARTS)


def test_every_setting_is_described_in_the_reference() -> None:
    page, hints = reference("settings.md"), get_type_hints(Settings, include_extras=True)

    lacking = [
        name
        for name, field in Settings.model_fields.items()
        if not description_of(field, hints[name]) or f"| `{PREFIX}{name.upper()}` |" not in page
    ]

    assert lacking == []


def test_every_option_of_an_executor_is_described_in_the_reference() -> None:
    page = reference("executors.md")

    lacking = [name for name in own_executors() if f"## {name}\n" not in page or not executor_class(name).__doc__]
    for name in own_executors():
        model = executor_class(name).Options
        hints = get_type_hints(model, include_extras=True)
        for key, field in model.model_fields.items():
            if not description_of(field, hints[key]) or f"| `{key}` |" not in page:
                lacking.append(f"{name}.{key}")

    assert lacking == []


def test_every_command_and_option_is_described_in_the_reference() -> None:
    page = reference("cli.md")

    lacking = [name for name, each in cli.main.commands.items() if not each.help or f"## aa {name}\n" not in page]
    lacking += [
        f"{name} {option.opts[0]}"
        for name, command in cli.main.commands.items()
        for option in shown_options(command)
        if not option.help or f"| `{option.opts[0]}" not in page
    ]

    assert lacking == []


def test_every_key_of_a_pipeline_file_is_described_in_the_reference() -> None:
    page = reference("pipeline-file.md")
    lacking = []
    for section in sections():
        hints = get_type_hints(section.model, include_extras=True)
        _, _, after = page.partition(f"({section.label})=\n")
        shown, _, _ = after.partition("\n(keys-")
        lacking += [
            f"{section.model.__name__}.{name}"
            for name, field in section.model.model_fields.items()
            if not description_of(field, hints[name]) or f"\n| `{field.alias or name}` |" not in shown
        ]

    assert lacking == []


def test_every_kind_of_value_is_explained_in_the_reference() -> None:
    page = reference("pipeline-file.md")
    plain = {"anything", "whole number", "number", "`true` or `false`"}
    elsewhere = {"list, by commas", "list of addresses or networks, by commas"}  # in settings

    assert "| Kind | Is | Such as |" in page
    assert set(NAMED.values()) - plain - elsewhere == {kind.words for kind in KINDS}


def test_every_file_that_is_written_is_described_in_the_reference() -> None:
    page = reference("files.md")
    folders = {
        name for kind in (DataFolder, WorkFolder) for name, each in vars(kind).items() if isinstance(each, property)
    }
    data, work = DataFolder(Path("/d")), WorkFolder(Path("/w"))
    found = {getattr(data if hasattr(data, name) else work, name) for name in folders}
    paths = {each for each in found if isinstance(each, Path)} | {work.setup("backend"), work.setup("task")}

    assert len(paths) > 15
    assert sorted(path.name for path in paths if not re.search(rf"`{re.escape(path.name)}/?`", page)) == []


def test_every_validator_and_option_is_described_in_the_reference() -> None:
    page = reference("validators.md")
    lacking = []
    for validator in own_validators():
        kind = validator_class(validator)
        _, _, after = page.partition(f"\n## {validator}\n")
        shown, _, _ = after.partition("\n## ")
        lacking += [validator] if not kind.__doc__ or not shown else []
        models: list[type[BaseModel]] = [kind.Options]
        while models:
            model = models.pop()
            hints = get_type_hints(model, include_extras=True)
            models += [each for hint in hints.values() for each in models_in(hint)]
            lacking += [
                f"{validator}.{option}"
                for option, field in model.model_fields.items()
                if not description_of(field, hints[option]) or f"| `{field.alias or option}` |" not in shown
            ]

    assert lacking == []


def test_every_kind_of_problem_is_described_in_the_reference() -> None:
    from analytics_automated.api.problems import BASE, KINDS

    page = reference("http.md")

    assert [kind for kind, each in KINDS.items() if not each.meaning or f"| `{BASE}{kind}` |" not in page] == []


def test_every_route_is_described_in_the_reference() -> None:
    page = reference("http.md")

    routes = [(f"{method} {shown_path(path)}", described["summary"]) for method, path, described in operations()]

    assert len(routes) > 10
    assert [route for route, summary in routes if not summary or f"\n### {route}\n" not in page] == []


def refusal_codes() -> set[str]:
    """The codes of refusals that are written out in the code."""
    found = set()
    for path in [*SOURCE.glob("api/**/*.py"), *SOURCE.glob("pipelines/*.py"), *SOURCE.glob("runs/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and len(node.args) > 2:
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                code = node.args[2]
                if called in {"Refusal", "refuse"} and isinstance(code, ast.Constant):
                    found.add(str(code.value))
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UnfitArchive":
                found |= {code.value for code in node.args[:1] if isinstance(code, ast.Constant)}
            elif isinstance(node, ast.Assign) and "_CODES" in [getattr(each, "id", "") for each in node.targets]:
                found |= set(ast.literal_eval(node.value).values())
    return found


def test_every_code_of_a_refusal_is_described_in_the_reference() -> None:
    page = reference("http.md")
    described = page[page.index("### Codes of entries") : page.index("## Shapes")]

    codes = refusal_codes()

    assert {"required", "too_large", "reads_as_option", "no_such_result"} <= codes
    assert sorted(code for code in codes if f"`{code}`" not in described) == []


@pytest.mark.parametrize(
    ("model", "key", "values"),
    [
        (BackendDefinition, "sandbox", None),
        (BackendDefinition, "network", None),
        (BackendDefinition, "user", []),
        (BackendDefinition, "data", None),
        (BackendDefinition, "root", None),
        (TaskDefinition, "cache", []),
        (TaskDefinition, "timeout", None),
        (TaskDefinition, "resources", None),
        (ResourcesDefinition, "gpus", []),
        (ResourcesDefinition, "cpus", None),
        (JobDefinition, "access", []),
        (JobDefinition, "steps", None),
        (JobInputDefinition, "unpack", None),
        (JobInputDefinition, "many", None),
        (StepDefinition, "when", None),
        (StepDefinition, "needs", None),
    ],
)
def test_the_reference_marks_the_keys_that_checks_refuse(
    model: type[TaskDefinition], key: str, values: list[str] | None
) -> None:
    assert unsupported_values(model, key) == values


def test_the_reference_marks_the_keys_that_do_nothing_yet() -> None:
    page = reference("pipeline-file.md")

    for model, keys in WITHOUT_EFFECT.items():
        assert keys <= set(model.model_fields)
    assert re.search(r"\| `on_failure` \|.*\*\*Without effect in this version\.\*\* \|", page)


def test_every_option_of_the_local_executor_is_in_the_how_to() -> None:
    page = (DOCS / "howto/sandbox-and-limits.md").read_text()
    for name, field in LocalOptions.model_fields.items():
        assert f"| `{name}` |" in page
        assert field.description


def test_every_relative_link_leads_somewhere() -> None:
    lost = []
    for page in PAGES:
        text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            target = link.partition("#")[0]
            if target and not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                lost.append(f"{name_of(page)}: {link}")

    assert lost == []


def test_every_module_that_the_documentation_of_the_code_names_is_there() -> None:
    named = [
        (name_of(page), path)
        for page in [*ROOT.glob("*.md"), *DOCS.glob("decisions/*.md")]
        for path in re.findall(r"`([\w/.]+/\w+\.py)`", page.read_text())
    ]

    assert len(named) > 5
    assert [each for each in named if not any((folder / each[1]).exists() for folder in (ROOT, SOURCE))] == []


def test_every_variable_that_the_documentation_names_is_a_setting() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | NO_SETTINGS
    known |= {f"{name}_FILE" for name in known}

    named = {
        (name_of(page), name) for page in PAGES for name in re.findall(r"\bAA_[A-Z][A-Z_]*[A-Z]\b", page.read_text())
    }

    # The names behind AA_SECRET_ are those that pipelines give to their secrets.
    assert sorted(each for each in named if each[1] not in known and not each[1].startswith("AA_SECRET_")) == []


def test_every_aa_command_that_the_documentation_shows_is_one() -> None:
    # In its tutorial the reader has put `aa` on the PATH.
    called = re.compile(r"^(?:\w+=\S+ )*(?:[\w./]*\.venv/bin/)?aa (.*)$")
    shown = [
        (place, found[1].split())
        for place, text in blocks("bash", "text")
        for line in text.splitlines()
        if (found := called.match(line.strip()))
    ]
    wrong = []
    for place, (name, *words) in shown:
        command = cli.main.commands.get(name)
        options = {} if command is None else {word: each for each in command.params for word in each.opts}
        own = words[: words.index("--")] if "--" in words else words
        given = [word.partition("=")[0] for word in own if word.startswith("--")]
        if command is None or (name != "manage" and not set(given) <= set(options)):
            wrong.append((place, name, *given))
    assert len(shown) > 25
    assert wrong == []
    assert isinstance(cli.main, click.Group)
