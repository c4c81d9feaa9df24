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
@data_option
def check(files: tuple[Path, ...]) -> None:
    """Read pipeline FILES and say what is wrong with them, without a database."""
    from analytics_automated.pipelines.checks.configuration import check_configuration
    from analytics_automated.pipelines.files.reader import read_files

    read = read_files(files)
    checked = check_configuration(read.backends, read.tasks, read.jobs, unreadable=read.unreadable, all_backends=False)
    problems = read.in_order([*read.problems, *checked.problems])
    for problem in problems:
        click.echo(problem, err=True)
    errors = sum(not problem.warning for problem in problems)
    if errors:
        click.echo(f"{errors} error{'s' * (errors > 1)}", err=True)
        sys.exit(WRONG_CONFIGURATION)
    for plan in checked.plans.values():
        click.echo(f"job {plan.job}")
        for step in plan.steps:
            sources = ", ".join(f"{name} <- {' or '.join(given)}" for name, given in step.inputs.items())
            click.echo(f"  step {step.name}: {sources or 'no inputs'}")
        click.echo(f"  parameters: {', '.join(plan.parameters) or 'none'}")
        click.echo(f"  results: {', '.join(plan.results) or 'none'}")
