"""What every `aa` command has: its group, `--data`, and how it comes to Django."""

import os
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


def set_up_django(settings: str = "analytics_automated.config.settings") -> None:
    """Set Django up: only for commands that need it, as it takes its time."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
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


def prepare_embedded_database() -> None:
    """Make the tables where there is no database yet and it would be a file of ours."""
    from django.conf import settings
    from django.core.management import call_command

    if settings.AA.database_url is None and not settings.DATA.database.exists():
        call_command("migrate", verbosity=0)
