"""Settings from the environment."""

import os
from pathlib import Path

import pytest

from analytics_automated.config.data_folder import DataFolder
from analytics_automated.config.environment import Settings, read_settings
from analytics_automated.config.supervisor import AlreadyUp, data_folder_lock
from analytics_automated.config.web_server import processes_for


def test_nothing_needs_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AA_DATA_DIR", raising=False)
    assert read_settings().data_dir == Path("data")


def test_durations_sizes_and_lists_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AA_DEFAULT_TIMEOUT", "2h")
    monkeypatch.setenv("AA_MAX_FILE_SIZE", "10MB")
    monkeypatch.setenv("AA_ALLOWED_HOSTS", "a.example.org, b.example.org")
    settings = read_settings()
    assert settings.default_timeout == 7200
    assert settings.max_file_size == 10_000_000
    assert settings.allowed_hosts == ["a.example.org", "b.example.org"]


def test_a_secret_may_come_from_a_file_and_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hidden\n")
    monkeypatch.setenv("AA_SECRET_KEY_FILE", str(tmp_path / "key"))
    settings = read_settings()
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == "hidden"
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AA_WEB_THREADS", "many", "AA_WEB_THREADS"),
        ("AA_MAX_FILE_SIZE", "10 parsecs", "AA_MAX_FILE_SIZE"),
        ("AA_SECRET_KEY_FILE", "/nowhere/at/all", "AA_SECRET_KEY_FILE"),
        ("AA_LOG_LEVEL", "LOUD", "AA_LOG_LEVEL"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        read_settings()
    assert said in str(ended.value)


@pytest.mark.parametrize(
    ("processors", "variables", "processes"),
    [
        (2, {}, 1),
        (2, {"AA_DATABASE_URL": "postgresql://aa@127.0.0.1/aa"}, 2),
        (64, {"AA_DATABASE_URL": "postgresql://aa@127.0.0.1/aa"}, 4),
        (64, {"AA_DATABASE_URL": "postgresql://aa@127.0.0.1/aa", "AA_WEB_PROCESSES": "12"}, 12),
        (64, {"AA_WEB_PROCESSES": "2"}, 2),
    ],
)
def test_the_web_server_has_a_process_per_processor_unless_it_runs_on_sqlite(
    monkeypatch: pytest.MonkeyPatch, processors: int, variables: dict[str, str], processes: int
) -> None:
    for name in ("AA_DATABASE_URL", "AA_WEB_PROCESSES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert processes_for(read_settings()) == processes


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    assert folder.secret_key() == folder.secret_key()
    assert len(folder.secret_key()) >= 64
    assert (folder.root / "secret_key").stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.root.iterdir()] == ["secret_key"]


def test_a_data_folder_is_held_by_one_and_let_go(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with data_folder_lock(folder), pytest.raises(AlreadyUp), data_folder_lock(folder):
        pass
    with data_folder_lock(folder):
        pass
