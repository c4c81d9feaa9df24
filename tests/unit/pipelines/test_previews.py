"""What is shown beside a Task's form."""

from typing import Any

import pytest

from analytics_automated.pipelines.checks.task import check_task
from analytics_automated.pipelines.definitions import BackendDefinition, ParameterDefinition, TaskDefinition
from analytics_automated.pipelines.parameters import value_problems
from analytics_automated.pipelines.previews import FROM_WORKER, Preview, Variable, preview


def previewed(task: dict[str, Any], backend: dict[str, Any] | None = None) -> Preview:
    definition = TaskDefinition.model_validate(task)
    assert [problem for problem in check_task(definition) if not problem.warning] == []
    return preview(definition, BackendDefinition.model_validate(backend) if backend is not None else None)


def shown(parameter: dict[str, Any]) -> str:
    return previewed({"command": "tool {param.x}", "parameters": {"x": parameter}}).command.removeprefix("tool ")


@pytest.mark.parametrize(
    ("parameter", "word"),
    [
        ({"type": "integer", "default": 3, "example": 5}, "5"),
        ({"type": "integer", "default": 3}, "3"),
        ({"type": "integer"}, "1"),
        ({"type": "integer", "minimum": 7}, "7"),
        ({"type": "integer", "maximum": 0}, "0"),
        ({"type": "number", "minimum": 0.5, "maximum": 0.6}, "0.5"),
        ({"type": "choice", "choices": ["b", "a"]}, "b"),
        ({"type": "string"}, "text"),
        ({"type": "string", "example": "two words"}, "'two words'"),
        ({"type": "string", "pattern": "[A-Z]{3}"}, "ABC"),
        ({"type": "string", "max_length": 1}, "a"),
        ({"type": "string", "many": True}, "text"),
        ({"type": "integer", "many": True, "example": [1, 2]}, "1 2"),
        ({"type": "boolean", "flag": "--quiet"}, "--quiet"),
        ({"type": "boolean", "flag": "--quiet", "default": False, "example": True}, "--quiet"),
        ({"value": "it's"}, "'it'\"'\"'s'"),
        ({"type": "string", "flag": "-x", "separator": "=", "default": ""}, "-x="),
    ],
)
def test_a_parameter_is_shown_by_its_example_else_its_default_else_a_made_up_value(
    parameter: dict[str, Any], word: str
) -> None:
    assert shown(parameter) == word


def test_what_is_made_up_is_valid() -> None:
    for parameter in ({"type": "string", "pattern": "[0-9]+"}, {"type": "number", "minimum": 3}):
        definition = ParameterDefinition.model_validate(parameter)
        text = shown(parameter)
        assert value_problems(definition, text if definition.kind == "string" else float(text)) == []


def test_a_parameter_that_no_made_up_value_fits_is_shown_by_its_name_with_a_note() -> None:
    parameter = {"type": "string", "pattern": "[0-9]{4}-[0-9]{3}[0-9X]"}
    found = previewed({"command": "tool {param.issn}", "parameters": {"issn": parameter}})
    assert found.command == "tool ISSN"
    assert found.notes == ("parameter issn: no valid value is known; give it an `example`, to see it here",)


def test_what_is_optional_is_left_out_on_a_second_line() -> None:
    task = {
        "inputs": {"query": "query.fasta", "guide": {"file": "guide.dnd", "optional": True, "flag": "--guide"}},
        "outputs": {"hits": "hits.tsv"},
        "command": "search {input.query} {input.guide} {param.quiet} {param.limit} {param.rounds} -o {output.hits}",
        "parameters": {
            "quiet": {"type": "boolean", "flag": "--quiet", "default": True},
            "limit": {"type": "integer", "flag": "-n", "optional": True},
            "rounds": {"type": "integer", "flag": "-r", "default": 2},
        },
    }
    found = previewed(task)
    assert found.command == "search query.fasta --guide guide.dnd --quiet -n 1 -r 2 -o hits.tsv"
    assert found.without_options == "search query.fasta -r 2 -o hits.tsv"


def test_there_is_no_second_line_where_nothing_is_optional() -> None:
    task = {"command": "cat {input.a}", "inputs": {"a": "in.txt"}, "outputs": {"b": "out.txt"}, "stdout": "b"}
    found = previewed({**task, "stdin": "a"})
    assert found.without_options is None
    assert found.streams == ("standard input is in.txt", "standard output goes to out.txt")


def test_a_script_is_shown_by_its_interpreter_and_the_variables_that_it_sees() -> None:
    found = previewed(
        {
            "inputs": {"table": {"file": "table.csv", "optional": True}},
            "outputs": {"plot": "plot.png"},
            "script": "print(1)",
            "interpreter": "Rscript --vanilla",
            "parameters": {"colour": {"type": "string", "default": "dark red"}},
            "environment": {"LC_ALL": "C.UTF-8"},
            "secrets": ["STATS_URL"],
        },
        {"environment": {"BLASTDB": "/data/blast"}},
    )
    assert (found.command, found.without_options) == ("Rscript --vanilla SCRIPT", None)
    variables = {each.name: each for each in found.variables}
    assert variables["input_table"] == Variable("input_table", "/workdir/table.csv", always=False)
    assert variables["output_plot"] == Variable("output_plot", "/workdir/plot.png", always=True)
    assert variables["param_colour"] == Variable("param_colour", "'dark red'", always=True)
    assert variables["LC_ALL"].value == "C.UTF-8"
    assert variables["BLASTDB"] == Variable("BLASTDB", "/data/blast", always=True)
    assert variables["STATS_URL"].value == FROM_WORKER


def test_reference_data_and_resources_are_those_of_the_backend() -> None:
    task = {"command": "blast {data.uniref90}/u90 {data.other} {resources.cpus} {resources.memory_mb} {scatter.stem}"}
    backend = {"data": {"uniref90": "/d/u"}, "defaults": {"resources": {"cpus": 4, "memory": "2GB"}}}
    assert previewed(task, backend).command == "blast /d/u/u90 /data/other 4 2000 sample"


def test_of_many_files_two_are_shown() -> None:
    task = {"command": "cat {input.parts}", "inputs": {"parts": {"file": "parts", "many": True}}}
    assert previewed(task).command == "cat parts/first parts/second"
