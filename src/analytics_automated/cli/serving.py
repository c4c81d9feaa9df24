"""Commands for the operator: what serves, and Django's own commands."""

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from analytics_automated.cli.command import data_option, main, set_up_django


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
    from analytics_automated.config.web_server import open_socket, processes_for, serve

    end_with_supervisor()
    set_up_django()
    from django.conf import settings

    if descriptor is None:
        listening = _listen(open_socket, host, port)
        click.echo(f"A_A listens on {host} port {listening.getsockname()[1]}")
        descriptor = listening.fileno()
    serve(descriptor, processes_for(settings.AA), settings.AA.web_threads)


@main.command()
@click.option("--queues", help="Celery queues to serve, by commas; all that backends name, also later, unless said.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Steps at once; AA_WORKER_CONCURRENCY or processors.")
@click.option("--min-priority", type=int, help="Take up only steps of this priority or a higher one.")
@click.option("--max-priority", type=int, help="Take up only steps of this priority or a lower one.")
@data_option
def worker(queues: str | None, concurrency: int | None, min_priority: int | None, max_priority: int | None) -> None:
    """Run a worker: it takes up steps and runs them."""
    from analytics_automated.config.supervisor import end_with_supervisor

    is_alone = not end_with_supervisor()
    set_up_django("analytics_automated.config.worker_settings")
    from analytics_automated.config.celery import run_worker

    named = [queue.strip() for queue in queues.split(",") if queue.strip()] if queues is not None else None
    if named == []:
        raise click.UsageError("--queues names no queue")
    if min_priority is not None and max_priority is not None and min_priority > max_priority:
        raise click.UsageError("--min-priority is above --max-priority: no step is served")
    if is_alone:
        _refuse_undecided(named)
    sys.exit(run_worker(named, concurrency, min_priority, max_priority))


class _Undecided(click.ClickException):
    exit_code = os.EX_CONFIG


def _refuse_undecided(queues: list[str] | None) -> None:
    """End, unless a sandbox works or the operator has said that there is to be none: others may reach what a worker by
    itself serves, which `aa up` by default does not let them."""
    from analytics_automated.executors.confinement.sandbox import sandbox_here
    from analytics_automated.runs.exposure import undecided

    found = undecided(queues)
    if not found:
        return
    lines = "".join(f"\n  backend {name!r}: {', '.join(map(repr, jobs))}" for name, jobs in found.items())
    raise _Undecided(
        "this worker does not start: public jobs would run here without a sandbox, as none works "
        f'({sandbox_here().said}).{lines}\nInstall bubblewrap, or decide to do without: set `sandbox: "off"` of the '
        "backend, in a pipeline file or on the pages."
    )


@main.command()
@data_option
def beat() -> None:
    """Run beat: it asks for housekeeping from time to time. One is enough for all hosts."""
    from analytics_automated.config.supervisor import end_with_supervisor

    end_with_supervisor()
    from analytics_automated.config.celery import run_beat

    run_beat()


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
    from django.db import Error

    from analytics_automated.runs.outages import is_outage

    try:
        execute_from_command_line(["aa manage", *given])
    except Error as error:
        if not is_outage(error):
            raise
        raise click.ClickException(f"the database cannot be reached: {error}") from None
