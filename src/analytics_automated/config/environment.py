"""The settings of an installation, read from environment variables `AA_*`.

Each may come from a file instead, as `AA_NAME_FILE`: what secrets are kept in. The reference of all settings is
generated from this module.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from analytics_automated.pipelines.quantities import Delay, Duration, Size

PREFIX = "AA_"


class ConfigurationFileError(ValueError):
    """A file that an `AA_*_FILE` variable names cannot be read."""


class _FileSource(PydanticBaseSettingsSource):
    """Values from the files that `AA_*_FILE` variables name; a trailing line end is not part of the value."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """The file's text, where there is one."""
        variable = f"{PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(variable)
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text().rstrip("\r\n"), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationFileError(f"{variable} names a file that cannot be read: {error}") from error

    def __call__(self) -> dict[str, Any]:
        """All values from files."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _comma_separated(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Texts = Annotated[list[str], NoDecode, BeforeValidator(_comma_separated)]
Networks = Annotated[list[IPvAnyNetwork], NoDecode, BeforeValidator(_comma_separated)]


class Settings(BaseSettings):
    """Everything that an operator may set. With nothing set, A_A runs by itself on one machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

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
    web_threads: int = Field(16, ge=1, le=512, description="Requests that the web server answers at once.")
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

    @classmethod
    def settings_customise_sources(  # noqa: D102 -- the base class documents it
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FileSource(settings_cls)


def read_settings() -> Settings:
    """The settings of this process.

    Raises `SystemExit` with one line per wrong variable: there is no way on without them.
    """
    try:
        return Settings()
    except ConfigurationFileError as error:
        raise SystemExit(f"aa: {error}") from None
    except ValidationError as error:
        wrong = [
            f"aa: {PREFIX}{str(each['loc'][0]).upper()}: {str(each['msg']).removeprefix('Value error, ')}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise SystemExit("\n".join(wrong)) from None
