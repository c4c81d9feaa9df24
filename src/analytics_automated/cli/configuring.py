"""Commands for the author: pipeline files and the configuration in the database."""

import sys
from pathlib import Path

import click

from analytics_automated.cli.command import (
    WRONG_CONFIGURATION,
    data_option,
    main,
    prepare_embedded_database,
    set_up_django,
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


@main.command()
@_FILES
@data_option
def apply(files: tuple[Path, ...]) -> None:
    """Make the configuration agree with pipeline FILES; all of them, or nothing."""
    set_up_django()
    from django.db import OperationalError, ProgrammingError

    from analytics_automated.pipelines.configuration import apply as apply_configuration
    from analytics_automated.pipelines.files.reader import read_files
    from analytics_automated.pipelines.problems import ConfigurationError

    prepare_embedded_database()
    try:
        changes = apply_configuration(read_files(files))
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        click.echo("nothing was changed", err=True)
        sys.exit(WRONG_CONFIGURATION)
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(
            f"the database cannot be used ({error}); `aa up` or `aa manage migrate` prepares it"
        ) from None
    for problem in changes.warnings:
        click.echo(problem, err=True)
    for word, entries in (("created", changes.created), ("changed", changes.changed), ("same", changes.unchanged)):
        for section, name in entries:
            click.echo(f"{word:8} {section.removesuffix('s')} {name}")
    for name in changes.renewed:
        click.echo(f"renewed  job {name}")
