"""Commands that help to write pipeline files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from analytics_automated.cli.command import data_option, main

if TYPE_CHECKING:
    from analytics_automated.pipelines.sketches.sketch import Sketch


@main.command()
@data_option
def schema() -> None:
    """Print the JSON Schema of pipeline files, by which editors complete and check them.

    It knows the validators and executors that are installed here.
    """
    import json

    from analytics_automated.pipelines.files.schema import pipeline_schema

    click.echo(json.dumps(pipeline_schema(), ensure_ascii=False, indent=2))


def _is_name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    import re

    from analytics_automated.pipelines.checks.job import RESERVED_STEPS
    from analytics_automated.pipelines.definitions.scalars import NAME

    if value is not None and not re.fullmatch(NAME, value):
        raise click.BadParameter(f"{value!r} is no name: letters, digits and _ (at most 64), a letter first")
    if value is not None and value.lower() in RESERVED_STEPS:
        raise click.BadParameter(f"{value!r} is a reserved word: choose another name")
    return value


@main.command()
@click.option("--name", callback=_is_name, help="Name of the pipeline, its task and its job; guessed unless said.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, which must not be there; NAME.yaml unless said.",
)
@click.argument("words", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
@data_option
def init(name: str | None, output: Path | None, words: tuple[str, ...]) -> None:
    """Write a first pipeline file for the COMMAND behind `--`, with comments that say what may be changed.

    Words that are files become inputs, files behind `-o` and files that are not there outputs, and options with
    values parameters. A command with pipes or redirections goes in quotes: aa init -- 'sort data.txt | uniq > out.txt'
    """
    from analytics_automated.pipelines.sketches.sketch import NoSketch, sketch

    folder = (output.parent if output is not None else Path()).absolute()
    try:
        made = sketch(words, here=Path.cwd(), folder=folder, name=name)
    except NoSketch as error:
        raise click.ClickException(f"the command {error}") from None
    path = output if output is not None else Path(f"{made.name}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(made.text)
    except FileExistsError:
        raise click.ClickException(f"{path} is there already: name another file by --output, or remove it") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None
    _present(made, path)


def _present(made: "Sketch", path: Path) -> None:
    """What was guessed, and what to do with it."""
    import shlex

    task, file = made.plan.tasks[made.name], shlex.quote(str(path))
    click.echo(f"wrote {path}")
    for word, names in (("inputs", task.inputs), ("outputs", task.outputs), ("parameters", task.parameters)):
        click.echo(f"  {word + ':':11} {', '.join(names) or 'none'}")
    for note in made.notes:
        click.echo(f"  note: {note}")
    files = [(name, each) for name, several in made.paths.items() for each in several]
    fields = [f"--form {name}=@{shlex.quote(each)}" for name, each in files] or ["--form name=first"]
    address = f"http://127.0.0.1:8000/api/v1/jobs/{made.name}/submissions"
    steps = [(f"aa check {file}", "is it right? Look into the file first")]
    steps += [(f"aa test {file}", "run its example")] if made.has_example else []
    steps += [(f"aa apply {file}", "put it into the database"), ("aa up", "serve it; leave this running")]
    width = max(len(step) for step, _ in steps)
    click.echo("next:")
    for step, why in steps:
        click.echo(f"  {step:{width}}  # {why}")
    click.echo(f"  curl {' '.join(fields)} {address}")
