"""The settings of an installation, read from environment variables `AA_*`.

Each may come from a file instead, as `AA_NAME_FILE`: what secrets are kept in. The reference of all settings is
generated from this module.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, SecretStr, ValidationError

from analytics_automated.pipelines.quantities import Delay, Duration, Size

PREFIX = "AA_"


class ConfigurationFileError(ValueError):
    """A file that an `AA_*_FILE` variable names cannot be read."""


def _comma_separated(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_comma_separated)]
Networks = Annotated[list[IPvAnyNetwork], BeforeValidator(_comma_separated)]


class Settings(BaseModel):
    """Everything that an operator may set. With nothing set, A_A runs by itself on one machine."""

    model_config = ConfigDict(frozen=True)

    data_dir: Path = Field(
        Path("data"), description="Folder that holds everything of a local installation: database, files, messages."
    )
    secret_key: SecretStr | None = Field(
        None, description="Key that signs sessions and links; made and kept in the data folder unless set."
    )
    allowed_hosts: Texts = Field(
        ["localhost", "127.0.0.1", "[::1]"], description="Host names under which the service answers, by commas."
    )
    base_url: str | None = Field(
        None,
        description="Address in the links that the service gives, such as https://a.example.org; as asked unless set.",
    )
    trusted_origins: Texts = Field(
        [], description="Origins whose forms may be sent here, such as https://a.example.org."
    )
    debug: bool = Field(False, description="Show errors in the browser. Never in production.")
    database_url: str | None = Field(
        None,
        description="postgresql://user:password@host:port/name, with parameters of libpq behind a `?`; SQLite in the "
        "data folder unless set.",
    )
    broker_url: SecretStr | None = Field(
        None, description="A Celery broker, such as redis://:password@host:port/0; files in the data folder unless set."
    )
    web_processes: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Processes of the web server; unless set, with PostgreSQL one per processor, at most 4, else 1.",
    )
    web_threads: int = Field(16, ge=1, le=512, description="Requests that each of them answers at once.")
    worker_concurrency: int | None = Field(
        None, ge=1, description="Steps that a worker runs at once; the number of processors unless set."
    )
    caller_limit: int | None = Field(
        None, ge=1, description="Submissions that one caller may have in progress; any number unless set."
    )
    trusted_proxies: Networks = Field(
        [],
        description="Addresses or networks, by commas, of proxies whose X-Forwarded-For tells who calls.",
    )
    min_free_storage: Size = Field(
        200_000_000,
        description="What stays free where files are stored: with less nothing is taken, and steps wait. 0: no bound.",
    )
    min_free_work: Size = Field(
        200_000_000,
        description="What stays free where work folders are made: with less steps wait, and nothing is taken for them."
        " 0: no bound.",
    )
    backend_patience: Delay = Field(
        3600.0, description="Time that steps wait for a backend that is gone; then they end with CRASH."
    )
    lease_seconds: float = Field(
        30.0, ge=2, le=3600, description="Seconds after which a step is lost whose worker has not said that it runs it."
    )
    stop_grace: Duration = Field(
        5.0, description="Time that running steps have to end when a worker is stopped; then they go back to the queue."
    )
    default_timeout: Duration = Field(86_400.0, description="Time that a step may run whose task names none.")
    log_limit: Size = Field(65_536, description="What is kept of a step's standard output and error, each.")
    max_file_size: Size = Field(1_000_000_000, description="Largest file that is taken where an input names no limit.")
    max_files: int = Field(100, ge=1, description="Most files of one input that names no limit.")
    max_request_size: Size = Field(5_000_000_000, description="Largest request body that is read to its end.")
    max_json_size: Size = Field(10_000_000, description="Largest JSON request body.")
    validation_timeout: Duration = Field(20.0, description="Time that the validation of one request's data may take.")
    keep_workdirs: bool = Field(False, description="Keep the work folders of ended attempts, for looking into them.")
    reconcile_interval: Duration = Field(10.0, description="Time between looks for steps that nobody was told of.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe log line.")
    log_format: Literal["text", "json"] = Field("text", description="How log lines are written.")
    time_zone: str = Field("UTC", description="Time zone of the pages. The API always speaks UTC.")


def read_settings() -> Settings:
    """The settings of this process.

    Raises `SystemExit` with one line per wrong variable: there is no way on without them.
    """
    try:
        given = {name: _given(f"{PREFIX}{name.upper()}") for name in Settings.model_fields}
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ConfigurationFileError as error:
        raise SystemExit(f"aa: {error}") from None
    except ValidationError as error:
        wrong = [
            f"aa: {PREFIX}{str(each['loc'][0]).upper()}: {str(each['msg']).removeprefix('Value error, ')}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise SystemExit("\n".join(wrong)) from None


def _given(variable: str) -> str | None:
    """The variable's value, or else the text of the file that `…_FILE` names; a trailing line end is not part of it."""
    value = os.environ.get(variable)
    path = os.environ.get(f"{variable}_FILE")
    if value is not None or not path:
        return value
    try:
        return Path(path).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationFileError(f"{variable}_FILE names a file that cannot be read: {error}") from error
