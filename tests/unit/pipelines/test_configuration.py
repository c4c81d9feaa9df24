"""The configuration in the database: applied as a whole or not at all, and never lost or changed on the way."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.configuration import (
    Changes,
    apply,
    ensure_local_backend,
    exported,
    read_stored,
    verify_stored,
)
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition
from analytics_automated.pipelines.files.reader import Configuration, read_files, read_text
from analytics_automated.pipelines.models import (
    Backend,
    Change,
    Environment,
    Job,
    Parameter,
    QueueType,
    Snapshot,
    Step,
    Task,
    TaskOutput,
)
from analytics_automated.pipelines.models import Validator as ValidatorRow
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.problems import ConfigurationError

pytestmark = pytest.mark.django_db

ALL_KEYS = Path(__file__).with_name("all_keys.yaml")
ROWS = (Backend, Environment, Job, Parameter, QueueType, Snapshot, Step, Task, ValidatorRow)
PIPELINE = """\
format: 1
pipeline: p
backends:
  big: {queue: large}
tasks:
  first:
    title: First
    backend: big
    inputs: {data: in.txt}
    outputs: {made: out.txt}
    command: tool {param.size} {param.label} {input.data} {output.made}
    parameters:
      size: {type: integer, default: 3, flag: -s}
      label: {type: string, optional: true}
    environment: {Z: "1", A: "2"}
  second:
    inputs: {made: in.txt}
    outputs: {done: out.txt}
    script: cp "$input_made" "$output_done"
jobs:
  go:
    title: Go
    runnable: true
    inputs: {data: {max_size: 10MB, validators: [text, {size: {max: 1MB}}]}}
    validators: [{regex: {pattern: a}}]
    parameters: {size: {sets: first.size, default: 5}}
    steps: [{task: first}, {task: second}]
    results: {done: second.done, made: {from: first.made, title: Made}}
"""


def read(*texts: str) -> Configuration:
    configuration = Configuration()
    for number, text in enumerate(texts, 1):
        configuration.files.append(f"{number}.yaml")
        read_text(text, f"{number}.yaml", configuration)
    return configuration


def applied(*texts: str) -> Changes:
    return apply(read(*texts))


def refused(*texts: str) -> list[str]:
    """The problems for which the files are refused; nothing has changed then."""
    before = everything()
    with pytest.raises(ConfigurationError) as raised:
        applied(*texts)
    assert everything() == before
    return [str(problem) for problem in raised.value.problems]


def everything() -> list[list[dict[str, Any]]]:
    return [list(model._default_manager.order_by("pk").values()) for model in ROWS]


def as_json(definition: BaseModel) -> str:
    return definition.model_dump_json(by_alias=True, exclude_defaults=True)


def snapshot_of(job: str) -> Snapshot:
    snapshot = Job.objects.get(name=job).snapshot
    assert snapshot is not None
    return snapshot


def other(name: str = "q") -> str:
    """Another pipeline, whose job uses a task of the first."""
    return f"format: 1\npipeline: {name}\njobs:\n  {name}_go: {{runnable: true, steps: [{{task: first}}, {{task: second}}]}}\n"


# Applying


def test_files_become_rows() -> None:
    changes = applied(PIPELINE)
    assert changes.created == [("backends", "big"), ("tasks", "first"), ("tasks", "second"), ("jobs", "go")]
    assert (changes.changed, changes.unchanged, changes.renewed, changes.warnings) == ([], [], [], [])
    first = Task.objects.get(name="first")
    assert (first.pipeline, first.backend.name, first.backend.queue_type.name) == ("p", "big", "large")
    assert list(first.parameters.values_list("name", "type", "flag")) == [
        ("size", "integer", "-s"),
        ("label", "string", ""),
    ]
    assert list(first.environment.values_list("name", "value")) == [("Z", "1"), ("A", "2")]
    go = Job.objects.get(name="go")
    assert list(go.steps.values_list("task__name", flat=True)) == ["first", "second"]
    assert list(go.validators.values_list("input", "name")) == [("", "regex"), ("data", "text"), ("data", "size")]
    assert snapshot_of("go").plan.job == "go"


def test_applying_again_changes_nothing() -> None:
    applied(PIPELINE)
    before = everything()
    changes = applied(PIPELINE)
    assert (changes.created, changes.changed, changes.renewed) == ([], [], [])
    assert len(changes.unchanged) == 4
    assert everything() == before


def test_several_files_are_one_configuration() -> None:
    changes = applied(other(), PIPELINE)
    assert ("jobs", "q_go") in changes.created
    assert Job.objects.get(name="q_go").pipeline == "q"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("title: First", "title: 1st", ("tasks", "first")),
        ("default: 3", "default: 4", ("tasks", "first")),
        ("default: 3", "default: 3.0", None),
        ('{Z: "1", A: "2"}', '{A: "2", Z: "1"}', ("tasks", "first")),
        ("queue: large", "queue: larger", ("backends", "big")),
        ("title: Go", "title: Stay", ("jobs", "go")),
        ("default: 5}", "default: 5, advanced: false}", ("jobs", "go")),
        ("runnable: true", "runnable: false", ("jobs", "go")),
        ("title: First", "title: First\n    timeout: 5m", ("tasks", "first")),
    ],
)
def test_only_what_differs_is_changed(old: str, new: str, changed: tuple[str, str] | None) -> None:
    applied(PIPELINE)
    assert old in PIPELINE
    changes = applied(PIPELINE.replace(old, new))
    assert changes.created == []
    if changed is not None:
        assert changes.changed == [changed]
    assert applied(PIPELINE.replace(old, new)).changed == []


@pytest.mark.parametrize("values", [("1", "true"), ("1", "1.0"), ("true", "'true'"), ("0", "false")])
def test_values_that_python_takes_for_equal_are_different(values: tuple[str, str]) -> None:
    text = "format: 1\npipeline: p\ntasks:\n  t: {{command: 'tool {{param.x}}', parameters: {{x: {{value: {}}}}}}}\n"
    for value in values:
        assert applied(text.format(value)).unchanged == []
    assert read_stored().tasks["t"] == read(text.format(values[1])).tasks["t"]
    assert type(read_stored().tasks["t"].parameters["x"].value) is type(
        read(text.format(values[1])).tasks["t"].parameters["x"].value
    )


def test_a_warning_does_not_stop_anything() -> None:
    text = "format: 1\npipeline: p\ntasks:\n  t: {script: 'echo $param_x', parameters: {x: {type: string}}}\n"
    (warning,) = applied(text).warnings
    assert str(warning).startswith("1.yaml:4: warning: tasks.t.script: $param_x stands without quotes")
    assert Task.objects.filter(name="t").exists()


# Refusing


def test_everything_that_is_wrong_comes_at_once_and_nothing_changes() -> None:
    applied(PIPELINE)
    problems = refused(
        "format: 1\npipeline: q\ntasks:\n  first: {command: tool}\n  new: {comand: tool}\n",
        "format: 1\npipeline: q\ntasks:\n  other: {command: tool {input.x}}\n"
        "jobs:\n  j: {steps: [{task: new}, {task: nothing}]}\n  k: {steps: [{task: second, inputs: {made: x.y}}]}\n",
        "format: 1\npipeline: q\ntasks: [",
    )
    assert problems == [
        "1.yaml:4: tasks.first: belongs to the pipeline 'p': choose another name, or change it there",
        "1.yaml:5: tasks.new.comand: is no key here (did you mean 'command'?)",
        '2.yaml:4: inside {…} a command must be in quotes, such as {command: "cp {input.a} {output.b}"}, '
        "because its { and , mean something to YAML",
        "3.yaml:3: is no YAML: while parsing a flow node, expected the node content, but found '<stream end>'",
    ]


def test_a_task_of_another_pipeline_that_is_stored_is_no_error_beside_others() -> None:
    applied(PIPELINE)
    assert refused(
        "format: 1\npipeline: q\njobs:\n  j: {titel: x, steps: [first]}\n  k: {steps: [first, {task: second, needs: [x]}]}\n"
    ) == [
        "1.yaml:4: jobs.j.titel: is no key here (did you mean 'title'?)",
        "1.yaml:5: jobs.k.steps[1].needs[0]: 'x' is no step of this job",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: {first: {command: tool}}", "tasks.first: belongs to the pipeline 'p': choose another name, or change it there"),
        ("jobs: {go: {steps: [second]}}", "jobs.go: belongs to the pipeline 'p': choose another name, or change it there"),
        ("tasks: {FIRST: {command: tool}}", "tasks.FIRST: differs from 'first', which is there, only by its case"),
        ("backends: {Big: {}}", "backends.Big: differs from 'big', which is there, only by its case"),
        ("backends: {other: {queue: large}}", "backends.other.queue: the queue 'large' is already that of the backend 'big'"),
        ("backends: {big: {queue: LOCALHOST}}", "backends.big.queue: the queue 'LOCALHOST' is already that of the backend 'local'"),
        ("backends: {local: {queue: large}}", "backends.local.queue: the queue 'large' is already that of the backend 'big'"),
        ("tasks: {t: {command: tool, backend: bigg}}", "tasks.t.backend: there is no backend 'bigg' (did you mean 'big'?)"),
    ],
)  # fmt: skip
def test_what_is_stored_already_counts(text: str, said: str) -> None:
    applied(PIPELINE)
    (problem,) = refused(f"format: 1\npipeline: q\n{text}\n")
    assert problem == f"1.yaml:3: {said}"


def test_what_a_pipeline_no_longer_names_stays() -> None:
    applied(PIPELINE)
    applied("format: 1\npipeline: p\ntasks: {more: {command: tool}}\n")
    assert set(Task.objects.values_list("name", flat=True)) == {"first", "second", "more"}
    assert Job.objects.filter(name="go").exists()


# Jobs that use a task of somebody else


def test_a_changed_task_gives_every_job_that_uses_it_a_new_snapshot() -> None:
    applied(PIPELINE, other())
    before = {name: snapshot_of(name) for name in ("go", "q_go")}
    changes = applied(PIPELINE.replace("default: 3", "default: 4"))
    assert changes.renewed == ["q_go"]
    for name, snapshot in before.items():
        assert snapshot_of(name) != snapshot
        assert Snapshot.objects.get(pk=snapshot.pk).content == snapshot.content, "what was submitted keeps its plan"
    assert snapshot_of("q_go").plan.tasks["first"].parameters["size"].default == 4


def test_a_job_that_would_break_is_named_and_nothing_changes() -> None:
    applied(PIPELINE, other())
    text = PIPELINE.replace("outputs: {made: out.txt}", "outputs: {other: out.txt}").replace(
        "{output.made}", "{output.other}"
    )
    assert refused(text.replace("first.made", "first.other")) == [
        "1.yaml:27: jobs.go.steps[1].inputs.made: is provided by nothing: no step before 'second' has an output 'made', "
        "and the job has no input of that name (its inputs: data). Bind it in the step's `inputs`"
    ]
    task_only = text[: text.index("jobs:")]
    problems = refused(task_only)
    assert problems == [
        "jobs.go.steps[1].inputs.made: is provided by nothing: no step before 'second' has an output 'made', and the job has "
        "no input of that name (its inputs: data). Bind it in the step's `inputs` (the job uses a task that would change)",
        "jobs.go.results.made: the step 'first' has no output 'made' (the job uses a task that would change)",
    ]


def test_a_runnable_job_of_another_pipeline_refuses_what_it_cannot_run() -> None:
    applied(PIPELINE, other())
    (problem,) = refused(PIPELINE.replace("runnable: true", "runnable: false").replace("title: First", "cache: true"))
    assert "`cache` is not supported by this version, and the runnable job 'q_go' needs it" in problem
    assert refused("format: 1\nbackends: {big: {queue: large, user: analysis}}\n") == [
        f"1.yaml:2: backends.big.user: `user` is not supported by this version, and the runnable job {name!r} needs it"
        for name in ("go", "q_go")
    ]


def test_a_stored_backend_that_a_new_job_cannot_use_is_told() -> None:
    applied("format: 1\nbackends: {far: {user: analysis}}\n")
    (problem,) = refused(
        "format: 1\npipeline: p\ntasks: {t: {backend: far, command: tool}}\njobs: {j: {runnable: true, steps: [t]}}\n"
    )
    assert problem.startswith("backends.far.user: `user` is not supported by this version")


def test_a_stored_task_that_is_wrong_by_now_disturbs_only_those_who_use_it() -> None:
    applied(PIPELINE)
    Task.objects.filter(name="second").update(script="", command="a | b")
    Backend.objects.filter(name="big").update(root="relative")
    assert applied("format: 1\npipeline: q\ntasks: {t: {command: tool}}\njobs: {j: {steps: [t]}}\n").created
    (problem,) = refused("format: 1\npipeline: q\njobs: {k: {steps: [{task: second}]}}\n")
    assert problem.startswith("tasks.second.command: holds a pipe")


# Backends and queues


def test_the_backend_that_always_exists_is_there_once() -> None:
    ensure_local_backend()
    ensure_local_backend()
    assert Backend.objects.get(name="local").queue_type.name == "LOCALHOST"
    assert applied("format: 1\nbackends: {local: {}}\n").unchanged == [("backends", "local")]
    assert applied("format: 1\nbackends: {local: {queue: LOCALHOST}}\n").unchanged == [("backends", "local")]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_two_backends_change_places_in_one_apply(names: tuple[str, str]) -> None:
    applied("format: 1\nbackends:\n  a: {queue: one}\n  b: {queue: two}\n")
    text = "".join(f"  {name}: {{queue: {'two' if name == 'a' else 'one'}}}\n" for name in names)
    applied(f"format: 1\nbackends:\n{text}")
    assert dict(Backend.objects.exclude(name="local").values_list("name", "queue_type__name")) == {
        "a": "two",
        "b": "one",
    }
    assert QueueType.objects.count() == 3


def test_a_backend_takes_over_a_queue_that_nobody_has() -> None:
    QueueType.objects.create(name="left", executor="local")
    applied("format: 1\nbackends: {a: {queue: left}}\n")
    QueueType.objects.create(name="behind", executor="local")
    applied("format: 1\nbackends: {a: {queue: behind}}\n")
    assert list(QueueType.objects.exclude(name="LOCALHOST").values_list("name", flat=True)) == ["behind"]


# There and back


def test_every_key_comes_back_from_the_database_as_it_went_in(tmp_path: Path) -> None:
    beside = ["helpers.R", "model.pkl", "weekly.fasta", "pages.zip", "expected/hits.tsv"]
    beside += ["examples/hba.fasta", "examples/none.fasta", "examples/one.txt", "examples/two.txt"]
    for name in beside:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "all.yaml").write_text(ALL_KEYS.read_text())
    configuration = read_files([tmp_path / "all.yaml"])
    assert configuration.problems == []
    named = configuration.backends["cluster"]
    configuration.backends["cluster"] = named.model_copy(update={"queue": None})  # it is the backend's name anyway
    whole = configuration.jobs["homologues"]  # which needs what is still to come
    configuration.jobs["homologues"] = whole.model_copy(update={"runnable": False})
    apply(configuration)
    stored = read_stored()
    assert stored.problems == []
    for section in ("backends", "tasks", "jobs"):
        for name, definition in getattr(configuration, section).items():
            assert as_json(getattr(stored, section)[name]) == as_json(definition)


words = st.text(
    alphabet=st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]), max_size=12
)
texts = words | st.sampled_from(["", " ", "NO", "2.10", "1:30", "null", "~", "{input.x}", "a\nb", "- a", "'"])
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
scalars = st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | words
free = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2), max_leaves=4
)
quantities = st.sampled_from(["1MB", "1024", "3GiB"])
durations = st.sampled_from(["1s", "0.5s", "90m", "1.5h", "7d"])
resources = st.fixed_dictionaries({}, optional={"cpus": st.integers(1, 9), "memory": quantities, "gpus": st.just(0)})
limits = st.fixed_dictionaries({}, optional={"timeout": durations, "resources": resources})
flags = st.booleans()


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


backends = some(
    executor=st.sampled_from(["local", "slurm"]), root=st.sampled_from(["/scratch", ""]), sandbox=st.sampled_from(["auto", "required", "off"]),
    network=st.sampled_from(["allow", "deny"]), path=st.lists(words, max_size=2), environment=st.dictionaries(names, texts, max_size=2),
    setup=texts, defaults=limits, limits=limits, max_running=st.integers(1, 9), user=words,
    data=st.dictionaries(names, st.fixed_dictionaries({"path": words}, optional={"version": words}), max_size=1),
)  # fmt: skip
stored_or_typed = st.one_of(
    st.fixed_dictionaries({"value": scalars}, optional={"flag": st.sampled_from(["", "-x"]), "title": words}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"]), "flag": st.just("-n")},
        optional={"default": st.integers(-9, 9), "minimum": st.just(-9), "separator": st.sampled_from(["", "=", " "]),
                  "optional": flags, "advanced": flags, "example": st.integers(-9, 9), "description": texts},
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"pattern": st.sampled_from(["", ".*"]), "allow_dash": flags, "max_length": st.integers(50, 90),
                  "default": st.sampled_from(["", "NO", "2.10", "a b"]), "optional": flags},
    ),
    st.fixed_dictionaries(
        {"type": st.just("choice"), "choices": st.dictionaries(words, words, min_size=1, max_size=3) | st.lists(words, min_size=1, max_size=3, unique=True)},
        optional={"env_only": flags},
    ),
    st.fixed_dictionaries({"type": st.just("boolean"), "many": st.just(True), "max_items": st.integers(1, 5)}),
)  # fmt: skip
tasks = st.fixed_dictionaries(
    {"script": texts.map(lambda text: f"# {text}")},
    optional={
        "title": words, "description": texts, "interpreter": st.sampled_from(["", "python -u", "Rscript"]),
        "outputs": st.just({"made": "out.txt", "logs": {"file": "*.log", "many": True, "publish": False}}),
        "inputs": st.just({"data": {"file": "in.txt", "optional": True, "flag": ""}}), "stdout": st.just("made"),
        "parameters": st.dictionaries(st.sampled_from(["b", "a", "c"]), stored_or_typed, max_size=3),
        "environment": st.dictionaries(st.sampled_from(["Z", "Y", "A"]), words, max_size=3), "secrets": st.lists(names, max_size=2),
        "setup": texts, "container": words, "network": flags, "timeout": durations, "resources": resources, "cache": flags,
        "exit_codes": some(stop=st.just(["3"]), messages=st.dictionaries(st.sampled_from(["3", "4-9"]), texts, max_size=2)),
        "missing_output": st.sampled_from(["fail", "stop", "continue"]), "files": st.sampled_from([["a.R"], ["b/c.txt", "a.R"]]),
        "retries": some(max=st.integers(0, 5), on=st.lists(words, max_size=2), delay=st.sampled_from(["0s", "5s"]), backoff=st.sampled_from([1, 1.5])),
        "software": st.lists(st.fixed_dictionaries({"name": words}, optional={"version": words}), max_size=2),
    },
)  # fmt: skip
jobs = some(
    title=words, description=texts, version=words, contact=words, citation=texts, licence=texts, terms=texts,
    access=st.sampled_from(["public", "login", ["a", "b"], []]), on_failure=st.sampled_from(["cancel", "finish"]),
    limits=some(per_caller=st.integers(1, 9)), retention=durations, aliases=st.lists(words, max_size=2),
    schedule=st.fixed_dictionaries({"cron": words}, optional={"parameters": st.dictionaries(names, free, max_size=2)}),
    examples=st.lists(some(title=words, parameters=st.dictionaries(names, free, max_size=1), expect=st.dictionaries(names, free, max_size=1)), max_size=2),
    deprecated=st.just({"since": "2026-12-01"}), results=st.just({}), validators=st.sampled_from([[], ["text"], [{"text": {"min_lines": 1}}]]),
)  # fmt: skip


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(backend=backends, task=tasks, job=jobs, parameter=some(advanced=flags, title=words, default=st.just(3)))
@example(backend={}, task={"script": "x"}, job={}, parameter={})
def test_a_configuration_comes_back_from_the_database_as_it_went_in(
    backend: dict[str, Any], task: dict[str, Any], job: dict[str, Any], parameter: dict[str, Any]
) -> None:
    task = task | {"backend": "far"}
    task["parameters"] = task.get("parameters", {}) | {"own": {"type": "integer", "default": 1, "advanced": True}}
    job = job | {"steps": [{"task": "t", "parameters": {}}, {"task": "t", "name": "u"}]}
    job["parameters"] = {"p": parameter | {"sets": "t.own"}}
    document = {"format": 1, "pipeline": "p", "backends": {"far": backend}, "tasks": {"t": task}, "jobs": {"j": job}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "p.yaml")
        path.write_text(json.dumps(document))
        for name in ("a.R", "b/c.txt"):
            Path(folder, name).parent.mkdir(exist_ok=True)
            Path(folder, name).write_text(json.dumps([task.get("title"), name]))
        configuration = read_files([path])
        checked = check_configuration(configuration.backends, configuration.tasks, configuration.jobs)
        assume(not configuration.problems and not any(not problem.warning for problem in checked.problems))
        _forget_everything()
        apply(configuration)
        stored = read_stored()
        assert stored.problems == []
        for section in ("backends", "tasks", "jobs"):
            for name, definition in getattr(configuration, section).items():
                assert as_json(getattr(stored, section)[name]) == as_json(definition)
        assert not apply(read_files([path]))
        digest = snapshot_of("j").digest
        verify_stored()
        assert snapshot_of("j").digest == digest, "a plan made from the database is the one made from the file"
        written = exported(stored).write(Path(folder, "export"))
        assert not apply(read_files(written)), "an export says what is there"
        _forget_everything()
        apply(read_files(written))
        again = read_stored()
        for section in ("backends", "tasks", "jobs"):
            assert {name: as_json(each) for name, each in getattr(again, section).items()} == {
                name: as_json(each) for name, each in getattr(stored, section).items()
            }
        assert (again.files, again.pipelines) == (stored.files, stored.pipelines)
        assert snapshot_of("j").digest == digest, "there and back it is the same plan"


def _forget_everything() -> None:
    for model in (Job, Task, Backend, QueueType):
        model._default_manager.exclude(name__in=["local", "LOCALHOST"]).delete()
    Change.objects.all().delete()
    Backend.objects.get(name="local").take_definition(BackendDefinition())


def test_the_order_of_keys_is_the_authors() -> None:
    applied(
        "format: 1\npipeline: p\ntasks:\n  t:\n    script: x\n"
        "    inputs: {z: z.txt, a: a.txt, m: m.txt}\n    outputs: {y: y.out, b: b.out}\n"
        "    parameters: {z: {type: choice, choices: {q: 1, b: 2, a: 3}}, c: {type: string}, a: {type: string}}\n"
        "    environment: {Z: '1', B: '2', A: '3'}\n"
        "jobs:\n  j: {steps: [t], inputs: {m: {}, z: {}, a: {}}, results: {q: t.y, a: t.b}}\n"
    )
    stored = read_stored()
    task, job = stored.tasks["t"], stored.jobs["j"]
    assert [*map(list, (task.inputs, task.outputs, task.parameters, task.environment))] == [
        ["z", "a", "m"], ["y", "b"], ["z", "c", "a"], ["Z", "B", "A"]
    ]  # fmt: skip
    assert list(task.parameters["z"].choices or {}) == ["q", "b", "a"]
    assert [list(job.inputs or {}), list(job.results or {})] == [["m", "z", "a"], ["q", "a"]]
    plan = snapshot_of("j").plan
    assert [list(plan.inputs), list(plan.results), list(plan.parameters)] == [
        ["m", "z", "a"],
        ["q", "a"],
        ["t_z", "t_c", "t_a"],
    ]


def test_values_of_steps_and_public_parameters_are_those_that_the_tasks_types_mean() -> None:
    text = (
        "format: 1\npipeline: p\ntasks:\n  t:\n    script: x\n    parameters: {s: {type: string}, n: {type: number}, "
        "i: {type: integer}, b: {type: boolean}, l: {type: string, many: true}, c: {type: choice, choices: [NO, 2.10]}}\n"
        "jobs:\n  j:\n    steps: [{task: t, parameters: {s: 2.10, i: 5, b: true, l: [1, NO]}}]\n"
        "    parameters: {n: {sets: t.n, default: 2.10}, c: {sets: t.c, default: 2.10, example: NO}}\n"
    )
    applied(text)
    stored = read_stored().jobs["j"]
    assert stored.steps[0].parameters == {"s": "2.10", "i": 5, "b": True, "l": ["1", "NO"]}
    assert (stored.parameters["n"].default, stored.parameters["c"].default) == (2.1, "2.10")
    plan = snapshot_of("j").plan
    assert plan.values_for("t", {"n": 1, "c": "NO"}) == {
        "s": "2.10",
        "i": 5,
        "b": True,
        "l": ["1", "NO"],
        "n": 1,
        "c": "NO",
    }
    assert (plan.parameters["c"].definition.default, plan.parameters["c"].definition.example) == ("2.10", "NO")
    assert applied(text).unchanged == [("tasks", "t"), ("jobs", "j")]


# Snapshots


def test_a_plan_is_read_from_its_snapshot_as_it_was() -> None:
    applied(PIPELINE)
    plan = snapshot_of("go").plan
    assert Plan.model_validate_json(plan.to_json()) == plan
    assert Plan.model_validate_json(plan.to_json()).digest == plan.digest == snapshot_of("go").digest


def test_the_same_configuration_has_the_same_snapshot() -> None:
    applied(PIPELINE)
    before = snapshot_of("go")
    applied(PIPELINE.replace("title: Go", "title: Stay"))
    assert snapshot_of("go") != before
    applied(PIPELINE)
    assert snapshot_of("go") == before
    assert Snapshot.objects.count() == 2


DIGEST = """
import sys
from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.files.reader import Configuration, read_text
configuration = Configuration()
read_text(sys.stdin.read(), "p.yaml", configuration)
checked = check_configuration(configuration.backends, configuration.tasks, configuration.jobs)
print(checked.plans["go"].digest)
"""


def test_a_digest_is_the_same_in_every_process() -> None:
    applied(PIPELINE)
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST], input=PIPELINE, text=True, capture_output=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert digests == {snapshot_of("go").digest}


def test_deleting_a_job_leaves_its_snapshots() -> None:
    applied(PIPELINE)
    snapshot = snapshot_of("go")
    Job.objects.all().delete()
    assert Snapshot.objects.get(pk=snapshot.pk).plan.job == "go"


def test_editing_a_row_by_a_page_gives_a_new_snapshot_or_is_refused() -> None:
    applied(PIPELINE)
    before = snapshot_of("go")
    Task.objects.filter(name="second").update(script="true")
    verify_stored()
    assert snapshot_of("go").plan.tasks["second"].script == "true"
    assert before.plan.tasks["second"].script != "true"
    TaskOutput.objects.filter(task__name="second").delete()
    with pytest.raises(ConfigurationError) as raised:
        verify_stored()
    assert [problem.where for problem in raised.value.problems] == ["jobs.go.results.done"]


def test_a_job_that_is_not_runnable_must_be_right_too() -> None:
    applied(PIPELINE.replace("runnable: true", "runnable: false"))
    before = snapshot_of("go")
    TaskOutput.objects.filter(task__name="second").delete()
    with pytest.raises(ConfigurationError):
        verify_stored()
    assert snapshot_of("go") == before


def test_definitions_from_rows_are_those_of_files() -> None:
    configuration = read(PIPELINE)
    apply(configuration)
    assert isinstance(read_stored().backends["big"], BackendDefinition)
    assert read_stored().jobs["go"] == configuration.jobs["go"]
    assert isinstance(read_stored().jobs["go"], JobDefinition)
