"""Commands for the author: pipeline files and the configuration in the database."""

import sys
from pathlib import Path

import click

from analytics_automated.cli.command import (
    WRONG_CONFIGURATION,
    data_option,
    main,
)

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))


@main.command()
@_FILES
@click.option("--here", is_flag=True, help="Also warn of programs, data and secrets that this machine does not have.")
@data_option
def check(files: tuple[Path, ...], *, here: bool) -> None:
    """Read pipeline FILES and say what is wrong with them, without a database.

    Of every job that is right it prints where the inputs of its steps come from, what callers may set, and where the
    results come from. With --here the exit code is 1 where something is missing,
    but for programs that a `setup` may bring.
    """
    from analytics_automated.cli.bindings import bindings_of
    from analytics_automated.pipelines.checks.configuration import check_configuration
    from analytics_automated.pipelines.files.reader import read_files
    from analytics_automated.runs.this_machine import missing_here, not_found_here

    read = read_files(files)
    checked = check_configuration(read.backends, read.tasks, read.jobs, unreadable=read.unreadable, all_backends=False)
    missing = missing_here(read.backends, read.tasks) if here else []
    unsure = not_found_here(read.backends, read.tasks) if here else []
    problems = read.in_order([*read.problems, *checked.problems, *missing, *unsure])
    for problem in problems:
        click.echo(problem, err=True)
    errors = sum(not problem.warning for problem in problems)
    if errors:
        click.echo(f"{errors} error{'s' * (errors > 1)}", err=True)
        sys.exit(WRONG_CONFIGURATION)
    for plan in checked.plans.values():
        for line in bindings_of(plan):
            click.echo(line)
    if missing:
        click.echo(f"{len(missing)} missing on this machine", err=True)
        sys.exit(WRONG_CONFIGURATION)
