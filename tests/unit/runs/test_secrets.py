"""Secrets: where they come from, and that nothing that is kept shows one."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_automated.executors.base import CommandSpec, Log
from analytics_automated.executors.logs import BoundedLog
from analytics_automated.runs.secrets import MissingSecret, Secrets, find_secrets

secret_texts = st.text(st.characters(exclude_characters="*\0", exclude_categories=["Cs"]), min_size=12, max_size=60)


def test_a_secret_comes_from_the_variable_or_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"from a file\xff\r\n\n")
    environment = {"AA_SECRET_ONE_FILE": str(tmp_path / "one"), "AA_SECRET_TWO": "from a variable"}
    secrets = find_secrets(["ONE", "TWO"], environment)
    assert secrets.values == {"ONE": "from a file\udcff", "TWO": "from a variable"}
    assert secrets.names == ["ONE", "TWO"]
    environment["AA_SECRET_ONE"] = "the variable goes before the file"
    assert find_secrets(["ONE"], environment).values["ONE"] == "the variable goes before the file"


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "the worker has neither AA_SECRET_X nor AA_SECRET_X_FILE"),
        ({"AA_SECRET_X": ""}, "the worker has neither AA_SECRET_X nor AA_SECRET_X_FILE"),
        ({"X": "x"}, "the worker has neither AA_SECRET_X nor AA_SECRET_X_FILE"),
        ({"AA_SECRET_X_FILE": "/no/such/file"}, "names a file that cannot be read: No such file or directory"),
        ({"AA_SECRET_X_FILE": "/"}, "names a file that cannot be read: Is a directory"),
        ({"AA_SECRET_X_FILE": "/dev/null"}, "the worker has neither"),
    ],
)
def test_a_missing_secret_is_named(environment: dict[str, str], reason: str) -> None:
    with pytest.raises(MissingSecret) as missing:
        find_secrets(["X"], environment)
    assert "'X'" in str(missing.value)
    assert reason in str(missing.value)


def test_a_file_with_a_nul_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a\0b")
    with pytest.raises(MissingSecret, match="NUL") as missing:
        find_secrets(["X"], {"AA_SECRET_X_FILE": str(tmp_path / "x")})
    assert "a\0b" not in str(missing.value)


@pytest.mark.parametrize("name", ["KEY", "KEY_FILE"])
def test_the_servers_own_key_is_no_secret_of_a_task(name: str) -> None:
    environment = {"AA_SECRET_KEY": "the server's", "AA_SECRET_KEY_FILE": "/dev/null"}
    with pytest.raises(MissingSecret, match="A_A's own"):
        find_secrets([name], environment)


def test_values_are_in_no_representation() -> None:
    secrets = Secrets({"X": "hush-hush"})
    spec = CommandSpec("a", ("tool",), Path("/"), {"X": "hush-hush"})
    assert "hush" not in f"{secrets!r} {secrets} {spec!r}"


def test_each_form_of_a_secret_is_masked() -> None:
    secrets = Secrets({"URL": 'a"b/c & d', "KEY": "-----BEGIN KEY-----\nabcdefghijkl\nshort\n-----END KEY-----"})
    assert secrets.mask('plain a"b/c & d.') == "plain ***."
    assert secrets.mask('json "a\\"b/c & d"') == 'json "***"'
    assert secrets.mask("https://a%22b%2Fc%20%26%20d@host") == "https://***@host"
    assert secrets.mask("  abcdefghijkl\r\n") == "  ***\r\n"


def test_the_longest_secret_is_masked_first() -> None:
    assert Secrets({"A": "abc", "B": "abcdef"}).mask("abcdef abc") == "*** ***"
    assert Secrets({"A": "abc"}).mask("xabcabcx") == "x******x"


def test_without_secrets_nothing_is_touched() -> None:
    log = Log(b"\xff\x00 head", b"tail", 7)
    assert Secrets().mask_log(log) is log
    assert Secrets().mask("text") == "text"


@given(secret_texts, st.integers(0, 200), st.integers(0, 200), st.integers(1, 300))
def test_no_part_of_a_secret_is_left_at_the_cut(secret: str, before: int, behind: int, limit: int) -> None:
    """Wherever the cut falls: what remains is the text around the secret, of which these signs are no part."""
    value = base64.b32encode(secret.encode()).decode()
    kept = BoundedLog(limit)
    kept.write(b"-" * before + value.encode() + b"." * behind)
    text = Secrets({"X": value}).mask_log(kept.log())
    rest = set(text.head + text.tail) - set(b"-.*")
    assert not rest, text


@given(secret_texts, st.integers(2, 60))
def test_secret_behind_secret_leaves_nothing(secret: str, limit: int) -> None:
    value = base64.b32encode(secret.encode())
    kept = BoundedLog(limit)
    kept.write(value * 20)
    masked = Secrets({"X": value.decode()}).mask_log(kept.log())
    assert set(masked.head + masked.tail) <= set(b"*")
