"""Commands between pipeline files and the configuration in the database: apply and export."""

import contextlib
import getpass
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analytics_automated.cli.command import (
    WRONG_CONFIGURATION,
    data_option,
    main,
    prepare_embedded_database,
    set_up_django,
)

if TYPE_CHECKING:
    from analytics_automated.pipelines.configuration import Changes

DIFFERENCE = 2
"""Exit code of `apply --dry-run` where there is something to do."""


@contextlib.contextmanager
def _database() -> Iterator[None]:
    """What goes wrong with the database is told in a sentence."""
    set_up_django()
    from django.db import OperationalError, ProgrammingError

    prepare_embedded_database()
    try:
        yield
    except (OperationalError, ProgrammingError) as error:
        said = str(error).strip()
        unprepared = isinstance(error, ProgrammingError) or "no such table" in said or "no such column" in said
        hint = "; `aa up` or `aa manage migrate` prepares it" if unprepared else ""
        raise click.ClickException(f"the database cannot be used: {said}{hint}") from None


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only print the difference; exit code 2 where there is one.")
@click.option("--prune", is_flag=True, help="Delete tasks and jobs that the files' pipelines no longer name.")
@click.option("--overwrite", is_flag=True, help="Take the files' word, even over what was changed on the pages.")
@data_option
def apply(files: tuple[Path, ...], *, dry_run: bool, prune: bool, overwrite: bool) -> None:
    """Make the configuration agree with pipeline FILES; all of them, or nothing."""
    with _database():
        from analytics_automated.pipelines.configuration import Options
        from analytics_automated.pipelines.configuration import apply as apply_configuration
        from analytics_automated.pipelines.files.reader import read_files
        from analytics_automated.pipelines.problems import ConfigurationError

        options = Options(who=_who(), overwrite=overwrite, prune=prune, dry_run=dry_run)
        try:
            changes = apply_configuration(read_files(files), options)
        except ConfigurationError as error:
            for problem in error.problems:
                click.echo(problem, err=True)
            click.echo("nothing was changed", err=True)
            sys.exit(WRONG_CONFIGURATION)
    for problem in changes.warnings:
        click.echo(problem, err=True)
    if dry_run:
        for difference in changes.differences:
            click.echo(f"{difference}\n")
    _present(changes)
    if dry_run and changes:
        sys.exit(DIFFERENCE)


def _present(changes: "Changes") -> None:
    said = (
        ("created", changes.created),
        ("changed", changes.changed),
        ("deleted", changes.deleted),
        ("same", changes.unchanged),
        ("renewed", [("jobs", name) for name in changes.renewed]),
    )
    for word, entries in said:
        for section, name in entries:
            click.echo(f"{word:8} {section.removesuffix('s')} {name}")
    for section, name in changes.kept:
        click.echo(f"kept     {section.removesuffix('s')} {name}, which no file names any more: --prune deletes it")


def _who() -> str:
    """The system user; its number where it has no name."""
    import os

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@main.command(name="export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--job", "jobs", multiple=True, help="Only this job, with what it needs; may be given again.")
@data_option
def export_configuration(folder: Path, jobs: tuple[str, ...]) -> None:
    """Write the configuration into FOLDER as pipeline files, with shipped files beside them."""
    with _database():
        from analytics_automated.pipelines.configuration import exported, needed_by, read_stored
        from analytics_automated.pipelines.problems import nearest

        stored = read_stored()
        for name in jobs:
            if name not in stored.jobs:
                raise click.ClickException(f"there is no job {name!r}{nearest(name, stored.jobs)}")
        for problem in stored.problems:
            click.echo(f"left out: {problem}", err=True)
        try:
            export = exported(stored, needed_by(stored, jobs) if jobs else None)
            written = export.write(folder)
        except OSError as error:
            raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}") from None
    for path in written:
        click.echo(path)
    ours = {*written, *(folder / path for path in export.files)}
    for path in sorted({*folder.rglob("*.yaml"), *folder.rglob("*.yml")} - ours):
        click.echo(f"not of this export, and left as it is: {path}", err=True)
