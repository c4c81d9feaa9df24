"""The table of bindings that `aa check` prints."""

from analytics_automated.cli.bindings import bindings_of
from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.files.reader import Configuration, read_text

FILE = """\
format: 1
pipeline: p
tasks:
  make: {command: tool, outputs: {table: t.csv, parts: {file: "p/*", many: true}}, stdout: table}
  draw:
    inputs: {table: t.csv, style: {file: s.txt, optional: true}}
    outputs: {picture: p.png}
    command: draw {input.table} {input.style} {param.colour} {param.sizes} {param.note} {param.width} {output.picture}
    parameters:
      colour: {type: choice, choices: [red, blue], default: red}
      sizes: {type: integer, many: true, default: [1, 2]}
      note: {type: string, optional: true}
      width: {type: number}
jobs:
  j:
    inputs: {own: {optional: true}, style: {optional: true}}
    parameters: {colour: {sets: [draw.colour, again.colour]}, engine: {type: boolean, default: false}}
    steps: [make, {task: draw, inputs: {table: [own, make.table]}}, {task: draw, name: again, parameters: {width: 2}}]
    results: {picture: draw.picture, parts: make.parts}
  plain: {steps: [{task: silent}]}
"""


def test_every_input_parameter_and_result_has_a_row() -> None:
    configuration = Configuration()
    read_text(FILE + "  # a task without files\n", "p.yaml", configuration)
    tasks = configuration.tasks
    tasks["silent"] = tasks["make"].model_copy(update={"outputs": {}, "stdout": None})
    checked = check_configuration({}, tasks, configuration.jobs)

    assert [str(problem) for problem in [*configuration.problems, *checked.problems]] == []
    assert bindings_of(checked.plans["j"]) == [
        "job j",
        "  STEP   INPUT  FROM",
        "  make   none",
        "  draw   table  caller's own or make.table",
        "         style  caller's style",
        "  again  table  make.table",
        "         style  caller's style",
        "  PARAMETER    TYPE             DEFAULT   SETS",
        '  colour       choice           "red"     draw.colour, again.colour',
        "  engine       boolean          false     the job's own",
        "  draw_sizes   list of integer  [1, 2]    draw.sizes",
        "  draw_note    string           absent    draw.note",
        "  draw_width   number           required  draw.width",
        "  again_sizes  list of integer  [1, 2]    again.sizes",
        "  again_note   string           absent    again.note",
        "  RESULT   FROM",
        "  picture  draw.picture",
        "  parts    make.parts (several files)",
    ]
    assert bindings_of(checked.plans["plain"]) == [
        "job plain", "  STEP    INPUT  FROM", "  silent  none", "  PARAMETERS: none", "  RESULTS: none",
    ]  # fmt: skip
