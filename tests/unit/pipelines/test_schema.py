"""The JSON Schema of the pipeline file: it takes what the reader takes, and says where something is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from analytics_automated.executors.registry import executor_names
from analytics_automated.pipelines.definitions.scalars import plain_deep
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.files.schema import DIALECT, pipeline_schema
from analytics_automated.pipelines.files.source import read_document
from analytics_automated.pipelines.validators.registry import validator_class, validator_names

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted([*ROOT.glob("examples/**/*.yaml"), *ROOT.glob("tests/**/pipelines/*.yaml")])
SCHEMA = pipeline_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

TASK = "format: 1\npipeline: p\ntasks:\n  t:\n    command: tool\n"
JOB = TASK + "jobs:\n  j:\n    steps: [t]\n"


def wrong(text: str) -> ValidationError | None:
    """What the schema says first of a file, as an editor reads it: plain YAML 1.2."""
    document = read_document(text, "p.yaml")
    assert document.problems == []
    return best_match(VALIDATOR.iter_errors(plain_deep(document.data)))


def by_reader(text: str) -> list[str]:
    configuration = Configuration()
    read_text(text, "p.yaml", configuration)
    return [str(problem) for problem in configuration.problems]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT


def test_every_reference_in_the_schema_leads_somewhere() -> None:
    def references(part: Any) -> Iterator[str]:
        for key, item in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
            if key == "$ref":
                yield item.removeprefix("#/$defs/")
            else:
                yield from references(item)

    assert set(references(SCHEMA)) == set(SCHEMA["$defs"])


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_every_file_of_examples_and_tests_pleases_the_schema(path: Path) -> None:
    assert wrong(path.read_text()) is None


def described(key: dict[str, Any]) -> bool:
    """Whether an editor has words for the key: its own, or those of what it refers to."""
    referred = SCHEMA["$defs"].get(key.get("$ref", "").removeprefix("#/$defs/"), {})
    return bool(key.get("description") or referred.get("description"))


def test_every_mapping_refuses_keys_that_it_does_not_know_and_describes_those_that_it_does() -> None:
    for name, definition in [("", SCHEMA), *SCHEMA["$defs"].items()]:
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False, name
            keys = definition.get("properties", {})
            assert [key for key, each in keys.items() if not described(each)] == [], name


def test_every_installed_validator_and_executor_has_its_options_in_the_schema() -> None:
    for name in validator_names():
        fields = validator_class(name).Options.model_fields
        keys = {field.alias or key for key, field in fields.items()}
        assert set(SCHEMA["$defs"][f"validator.{name}"].get("properties", {})) == keys
    for name in executor_names():
        assert f"executor.{name}" in SCHEMA["$defs"]


SHORTHANDS = [
    JOB,
    TASK + "    inputs: {a: a.txt, b: {file: b.txt}, c: 1.5, d: {file: ., many: true}}\n",
    TASK + "    outputs: {a: 'out/*.txt', b: {file: '*.log', many: true}}\n",
    TASK + "    container: image.sif\n",
    TASK + "    container: {image: image.sif}\n",
    TASK + "    exit_codes: {stop: 3, continue: [1, 64-78], fail: '7', messages: {3: No., 64-78: Usage.}}\n",
    TASK + "    software: [{name: R, version: 4.10}]\n",
    TASK + "    environment: {A: 1, B: true, C: no, D: ''}\n",
    TASK + "    timeout: 1.5h\n    resources: {cpus: 2, memory: 2GB}\n",
    TASK + "    resources: {memory: 1000000}\n    retries: {delay: 0s, backoff: 1.5}\n",
    TASK + "    parameters: {x: {type: choice, choices: [1, two, true], default: 1}}\n",
    TASK + "    parameters: {x: {type: choice, choices: {1: one, two: 2}}}\n",
    TASK + "    parameters: {x: {type: string, default: 2.10}, y: {type: number, minimum: 1, default: 1e-3}}\n",
    TASK + "    parameters: {x: {type: integer, many: true, default: [1, 2]}, y: {value: [a, 1]}, z: {value: true}}\n",
    TASK + "    parameters: {x: {type: integer, flag: -n, separator: '', default: }}\n",
    TASK.replace("tool", "[tool, -n, 10, '']"),
    TASK.replace("command: tool", "script: 'echo'\n    interpreter: [perl, -w]"),
    TASK.replace("command: tool", "script: {file: run.R}\n    interpreter: Rscript"),
    JOB.replace("[t]", "[t, {task: t, name: u, needs: [t], scatter: x, parameters: {a: 1}, inputs: {x: y, z: [a, t.b]}}]"),
    JOB.replace("[t]", "[{task: t, scatter: {over: x, max_parallel: 2}}]"),
    JOB + "    version: 2.10\n    access: [staff]\n    retention: 30d\n    aliases: [old-name]\n",
    JOB + "    results: {r: t.out, s: {from: t.other, title: 1}}\n",
    JOB + "    parameters: {a: {sets: t.a}, b: {sets: [t.b, t.c], aliases: old, default: 1}}\n",
    JOB + "    validators: [fasta, {fasta: {alphabet: protein}}, {fasta: }, {size: {max: 1MB}}, {size: {max: 10}}]\n",
    JOB + "    validators: [{name: fasta, options: {alphabet: protein}}, {name: text}]\n",
    "format: 1\nbackends: {b: {executor: local, data: {d: /data, e: {path: /e, version: 1}}}}\n",
    "format: 1\nbackends: {b: {executor: slurm, options: {partition: main}}}\n",
    "format: 1\ntasks: {}\n",
]  # fmt: skip


@pytest.mark.parametrize("text", SHORTHANDS)
def test_every_way_to_write_a_thing_pleases_schema_and_reader(text: str) -> None:
    assert [each for each in by_reader(text) if not each.startswith("p.yaml:5: tasks.t.script.file: ")] == []
    assert wrong(text) is None


WRONG = [
    ("format: 2\n", "format", "1 was expected"),
    ("pipeline: p\n", "", "'format' is a required property"),
    ("format: 1\ntasks: {t: {command: x}}\n", "", "'pipeline' is a required property"),
    ("format: 1\ntask: {}\n", "", "'task' was unexpected"),
    (TASK.replace("  t:", "  9t:"), "tasks", "'9t' does not match"),
    (TASK.replace("command", "comand"), "tasks.t", ""),
    (TASK + "    script: echo\n", "tasks.t", ""),
    (TASK + "    stdot: out\n", "tasks.t", "'stdot' was unexpected"),
    (TASK + "    title:\n", "tasks.t.title", "None is not of type"),
    (TASK + "    timeout: 30\n", "tasks.t.timeout", "30 is not of type 'string'"),
    (TASK + "    timeout: 30 minutes\n", "tasks.t.timeout", "does not match"),
    (TASK + "    cache: 'yes'\n", "tasks.t.cache", "'yes' is not of type 'boolean'"),
    (TASK + "    missing_output: ignore\n", "tasks.t.missing_output", "'ignore' is not one of"),
    (TASK + "    inputs: {a: /etc/passwd}\n", "tasks.t.inputs.a", "does not match"),
    (TASK + "    inputs: {a: x/../y}\n", "tasks.t.inputs.a", "does not match"),
    (TASK + "    inputs: {a: -x}\n", "tasks.t.inputs.a", "does not match"),
    (TASK + "    inputs: {a: {fil: x}}\n", "tasks.t.inputs.a", ""),
    (TASK + "    inputs: [a]\n", "tasks.t.inputs", "is not of type 'object'"),
    (TASK + "    environment: {1A: x}\n", "tasks.t.environment", "'1A' does not match"),
    (TASK + "    environment: {A: [x]}\n", "tasks.t.environment.A", "is not of type"),
    (TASK + "    exit_codes: {stop: [256]}\n", "tasks.t.exit_codes.stop.0", "greater than the maximum"),
    (TASK + "    exit_codes: {messages: {x: no}}\n", "tasks.t.exit_codes.messages", "'x' does not match"),
    (TASK + "    resources: {cpus: 0}\n", "tasks.t.resources.cpus", "less than the minimum"),
    (TASK + "    resources: {memory: 2 G}\n", "tasks.t.resources.memory", ""),
    (TASK + "    retries: {backoff: 0.5}\n", "tasks.t.retries.backoff", "less than the minimum"),
    (TASK + "    retries: {delay: 10}\n", "tasks.t.retries.delay", "is not of type 'string'"),
    (TASK + "    parameters: {x: {type: int}}\n", "tasks.t.parameters.x.type", "'int' is not one of"),
    (TASK + "    parameters: {x: {type: choice}}\n", "tasks.t.parameters.x", "'choices' is a required property"),
    (TASK + "    parameters: {x: {type: integer, default: a}}\n", "tasks.t.parameters.x.default", "is not of type"),
    (TASK + "    parameters: {x: {type: boolean, default: 'no'}}\n", "tasks.t.parameters.x.default", "is not of type"),
    (TASK + "    parameters: {x: {type: number, minimum: low}}\n", "tasks.t.parameters.x.minimum", "is not of type"),
    (TASK.replace("tool", "{input.x}"), "tasks.t.command", ""),
    (JOB.replace("[t]", "[]"), "jobs.j.steps", ""),
    (JOB.replace("[t]", "t"), "jobs.j.steps", "is not of type 'array'"),
    (JOB.replace("[t]", "[{tsk: t}]"), "jobs.j.steps.0", ""),
    (JOB.replace("[t]", "[{task: t, ordering: -1}]"), "jobs.j.steps.0.ordering", "less than the minimum"),
    (JOB.replace("[t]", "[{task: t, inputs: {a: b.c.d}}]"), "jobs.j.steps.0.inputs.a", "does not match"),
    (JOB + "    results: {r: t}\n", "jobs.j.results.r", "does not match"),
    (JOB + "    validators: [fsta]\n", "jobs.j.validators.0", "'fsta'"),
    (JOB + "    validators: [size]\n", "jobs.j.validators.0", "'size'"),
    (JOB + "    validators: [{fasta: {alphabet: prot}}]\n", "jobs.j.validators.0.fasta.alphabet", "'prot' is not one of"),
    (JOB + "    validators: [{fasta: {alfabet: dna}}]\n", "jobs.j.validators.0.fasta", "'alfabet' was unexpected"),
    (JOB + "    validators: [{size: {max: huge}}]\n", "jobs.j.validators.0.size.max", ""),
    (JOB + "    validators: [{name: fasta, options: {alphabet: x}}]\n", "jobs.j.validators.0.options.alphabet", ""),
    (JOB + "    validators: [{fasta: {}, text: {}}]\n", "jobs.j.validators.0", ""),
    (JOB + "    retention: forever\n", "jobs.j.retention", "does not match"),
    ("format: 1\nbackends: {b: {executor: slrum}}\n", "backends.b.executor", "'slrum' is not one of"),
    ("format: 1\nbackends: {b: {options: {x: 1}}}\n", "backends.b.options", "'x' was unexpected"),
    ("format: 1\nbackends: {b: {max_running: 0}}\n", "backends.b.max_running", "less than the minimum"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), WRONG)
def test_what_is_wrong_is_found_at_its_place(text: str, place: str, message: str) -> None:
    error = wrong(text)

    assert error is not None
    assert ".".join(str(part) for part in error.absolute_path) == place
    assert message in error.message
