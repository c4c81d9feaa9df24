"""The `aa` command. Each command parses, calls one function, and presents."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from analytics_automated import __version__

WRONG_CONFIGURATION = 1
"""Exit code where files or settings are wrong, or a command could not do its work. 2 is click's: wrong usage."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _set_data_folder(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        os.environ["AA_DATA_DIR"] = str(value)


def data_option(command: _Command) -> _Command:
    """`--data`, which every command has."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        callback=_set_data_folder,
        is_eager=True,
        expose_value=False,
        help="Data folder, in place of AA_DATA_DIR.",
    )(command)


def _django() -> None:
    """Set Django up: only for commands that need it, as it takes its time."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "analytics_automated.config.settings")
    import django

    try:
        django.setup()
    except OSError as error:  # settings make the data folder
        raise click.ClickException(f"the data folder cannot be used: {error}") from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aa")
def main() -> None:
    """A_A turns data-analysis pipelines into web services.

    Exit codes: 0 all is well, 1 the configuration is wrong or the command failed, 2 the command line is wrong.
    """


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@data_option
def up(host: str, port: int) -> None:
    """Serve everything on this machine: web, workers and beat, until Ctrl-C."""
    from analytics_automated.config.data_folder import DataFolder
    from analytics_automated.config.environment import read_settings
    from analytics_automated.config.supervisor import AlreadyUp, data_folder_lock, supervise
    from analytics_automated.config.web_server import open_socket

    settings = read_settings()
    folder = DataFolder(settings.data_dir.expanduser().absolute())
    try:
        with data_folder_lock(folder):
            listening = _listen(open_socket, host, port)
            _child("manage", "migrate", "--verbosity", "0")
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"A_A serves http://{shown}:{listening.getsockname()[1]}/ from {folder.root}")
            sys.stdout.flush()
            supervise(listening.fileno(), folder.root, settings.stop_grace)
    except AlreadyUp as other:
        raise click.ClickException(f"another `aa up` (process {other}) already serves {folder.root}") from None


def _prepare_embedded_database() -> None:
    """Make the tables where there is no database yet and it would be a file of ours."""
    from django.conf import settings
    from django.core.management import call_command

    if settings.AA.database_url is None and not settings.DATA.database.exists():
        call_command("migrate", verbosity=0)


def _listen(open_socket: Callable[[str, int], Any], host: str, port: int) -> Any:
    try:
        return open_socket(host, port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host} port {port}: {error.strerror or error}") from None


def _child(*arguments: str) -> None:
    """Run another `aa` command to its end in a process of its own, so that this one stays small."""
    import subprocess

    done = subprocess.run([sys.executable, "-m", "analytics_automated.cli", *arguments], check=False)
    if done.returncode:
        raise click.ClickException(f"`aa {arguments[0]} {arguments[1]}` failed with exit code {done.returncode}")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--descriptor", type=int, hidden=True, help="A socket that listens already.")
@data_option
def web(host: str, port: int, descriptor: int | None) -> None:
    """Serve the web service alone."""
    from analytics_automated.config.supervisor import end_with_supervisor
    from analytics_automated.config.web_server import open_socket, serve

    end_with_supervisor()
    _django()
    from django.conf import settings

    if descriptor is None:
        listening = _listen(open_socket, host, port)
        click.echo(f"A_A listens on {host} port {listening.getsockname()[1]}")
        descriptor = listening.fileno()
    serve(descriptor, settings.AA.web_threads)


@main.command()
@click.option("--queues", help="Celery queues to serve, by commas; all that backends name, also later, unless said.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Steps at once; AA_WORKER_CONCURRENCY or processors.")
@data_option
def worker(queues: str | None, concurrency: int | None) -> None:
    """Run a worker: it takes up steps and runs them."""
    from analytics_automated.config.supervisor import end_with_supervisor

    end_with_supervisor()
    _django()
    from analytics_automated.config.celery import run_worker

    named = [queue.strip() for queue in queues.split(",") if queue.strip()] if queues is not None else None
    if named == []:
        raise click.UsageError("--queues names no queue")
    sys.exit(run_worker(named, concurrency))


@main.command()
@data_option
def beat() -> None:
    """Run beat: it asks for housekeeping from time to time. One is enough for all hosts."""
    from analytics_automated.config.supervisor import end_with_supervisor

    end_with_supervisor()
    _django()
    from analytics_automated.config.celery import run_beat

    run_beat()


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
    _django()
    from django.db import OperationalError, ProgrammingError

    from analytics_automated.pipelines.configuration import apply as apply_configuration
    from analytics_automated.pipelines.files.reader import read_files
    from analytics_automated.pipelines.problems import ConfigurationError

    _prepare_embedded_database()
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


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def manage(context: click.Context, arguments: tuple[str, ...]) -> None:  # noqa: ARG001
    """Django's own commands: `aa manage createsuperuser`, `aa manage migrate`, …"""
    given = list(arguments)
    for index, word in enumerate(given):
        if word == "--data" and index + 1 < len(given):
            os.environ["AA_DATA_DIR"] = given[index + 1]
            del given[index : index + 2]
            break
        if word.startswith("--data="):
            os.environ["AA_DATA_DIR"] = word.removeprefix("--data=")
            del given[index]
            break
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "analytics_automated.config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["aa manage", *given])


if __name__ == "__main__":
    main(prog_name="aa")
