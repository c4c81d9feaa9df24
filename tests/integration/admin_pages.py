"""What the tests of the configuration pages share: a configuration with shipped files, and browsers of accounts."""

import re
from html import unescape
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from analytics_automated.pipelines.configuration import Changes, Options, apply
from analytics_automated.pipelines.files.reader import read_files

WORDS = """
format: 1
pipeline: words
backends:
  big: {executor: local, queue: large}
tasks:
  clean:
    inputs: {text: in.txt}
    outputs: {words: words.txt}
    command: tr {param.case} {param.quiet} {input.text}
    stdout: words
    parameters:
      case: {type: choice, choices: [z, a], default: z}
      quiet: {type: boolean, flag: --quiet, default: true}
  count:
    backend: big
    inputs: {words: words.txt}
    outputs: {number: number.txt}
    files: [helpers/table.txt]
    script: wc -w < "$input_words" > "$output_number"
jobs:
  words:
    title: Count words
    version: "1"
    runnable: true
    steps: [{task: clean, ordering: 1}, {task: count, ordering: 2}]
"""


def write_words(folder: Path, text: str = WORDS, table: str = "a table") -> Path:
    """The pipeline file, with the file that it ships beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "helpers").mkdir(exist_ok=True)
    (folder / "helpers" / "table.txt").write_text(table)
    (folder / "words.yaml").write_text(text)
    return folder / "words.yaml"


def apply_words(folder: Path, text: str = WORDS, table: str = "a table") -> Changes:
    """Apply it, as somebody at a terminal does."""
    return apply(read_files([write_words(folder, text, table)]), Options(who="ada", overwrite=True))


def browser(*permissions: str, name: str = "", superuser: bool = False) -> Client:
    """A browser in which somebody is signed in who may do just this, without the time that a password's hash takes."""
    user = User.objects.create(
        username=name or "-".join(permissions) or "nobody", is_staff=True, is_superuser=superuser
    )
    wanted = Permission.objects.filter(codename__in=permissions, content_type__app_label="pipelines")
    assert wanted.count() == len(permissions)
    user.user_permissions.set(wanted)
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """What the page says, without its elements, on one line."""
    assert response.status_code == 200, response.status_code
    body = response.content.decode()
    return re.sub(r" (?=[.:,](?: |$))", "", " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split()))
