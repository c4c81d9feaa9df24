"""The command that tries a job's examples."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from analytics_automated.cli.command import WRONG_CONFIGURATION, data_option, main, set_up_django

_ELSEWHERE = ("DATA_DIR", "DATABASE_URL", "BROKER_URL")
"""Settings that would lead to an installation that others use."""


@main.command(name="test")
@click.argument("targets", metavar="FILE...|JOB", nargs=-1, required=True)
@click.option("--job", "jobs", multiple=True, help="Of the files only this job; may be given again.")
@click.option("--keep", is_flag=True, help="Keep the folder with everything, work folders too, and say where it is.")
@data_option
def test(targets: tuple[str, ...], jobs: tuple[str, ...], *, keep: bool) -> None:
    """Run the examples of pipeline FILES, or of a JOB of the database, and compare what comes of them.

    They run on this machine, in a folder of their own, by the engine that serves callers; no service is needed, and
    none is touched. Exit code 1 where something is not as expected.
    """
    named = [target for target in targets if not Path(target).exists()]
    if named and len(named) < len(targets):
        raise click.ClickException(f"there is no file {named[0]!r}; files and jobs are tested one kind at a time")
    top = Path(tempfile.mkdtemp(prefix="aa-test-"))
    try:
        files = _exported(top / "exported", named) if named else [Path(target) for target in targets]
        for setting in _ELSEWHERE:
            os.environ.pop(f"AA_{setting}", None)
            os.environ.pop(f"AA_{setting}_FILE", None)
        os.environ["AA_DATA_DIR"] = str(top / "data")
        os.environ.setdefault("AA_LOG_LEVEL", "WARNING")
        if keep:
            os.environ["AA_KEEP_WORKDIRS"] = "true"
        failed = _test(files, tuple(named) or jobs)
    finally:
        if keep:
            click.echo(f"everything is kept in {top}")
        else:
            shutil.rmtree(top, ignore_errors=True)
    if failed:
        sys.exit(WRONG_CONFIGURATION)


def _exported(folder: Path, jobs: list[str]) -> list[Path]:
    """The jobs of the database as files, written by another process: this one then belongs to a folder of its own."""
    options = [word for job in jobs for word in ("--job", job)]
    words = [sys.executable, "-m", "analytics_automated.cli", "export", str(folder), *options]
    done = subprocess.run(words, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return [Path(line) for line in done.stdout.splitlines()]


def _test(files: list[Path], only: tuple[str, ...]) -> int:
    """Try all examples; how many were not as expected."""
    set_up_django()
    from django.core.management import call_command

    import analytics_automated.config.celery  # noqa: F401 -- wake-ups then go to this folder's own broker
    from analytics_automated.pipelines.configuration import apply
    from analytics_automated.pipelines.files.reader import read_files
    from analytics_automated.pipelines.models import Job
    from analytics_automated.pipelines.problems import ConfigurationError, nearest
    from analytics_automated.runs.examples import try_example

    call_command("migrate", verbosity=0)
    try:
        changes = apply(read_files(files))
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(WRONG_CONFIGURATION)
    for problem in changes.warnings:
        click.echo(problem, err=True)
    rows = {job.name: job for job in Job.objects.select_related("snapshot")}
    for name in only:
        if name not in rows:
            raise click.ClickException(f"there is no job {name!r}{nearest(name, rows)}")
    tried = failed = 0
    for name, job in rows.items():
        if only and name not in only:
            continue
        for place, example in enumerate(job.to_definition().examples, 1):
            title = example.title or f"example {place}"
            trial = try_example(job, example)
            tried += 1
            failed += bool(trial.faults)
            click.echo(f"{'FAILED' if trial.faults else 'ok':7} {name}: {title} ({trial.seconds:.1f} s)")
            for line in [*trial.faults, *(f"  {log}" for log in trial.logs)]:
                click.echo(f"          {line}")
    if not tried:
        raise click.ClickException("no job has `examples`: there is nothing to try")
    click.echo(f"{tried} example{'s' * (tried != 1)}, {failed} not as expected")
    return failed
