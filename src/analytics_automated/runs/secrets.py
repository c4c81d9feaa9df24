"""Secrets of the worker on their way to a command, and out of what is kept of it."""

import json
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from analytics_automated.executors.base import Log
from analytics_automated.pipelines.checks.variables import SERVERS_SECRETS

PREFIX = "AA_SECRET_"
MASK = "***"
SHORTEST_LINE = 8
"""Characters of a line of a secret that is masked by itself, too: tools often show a key line by line."""


class MissingSecret(Exception):
    """A secret that the worker does not have. The argument is for the operator; it holds no secret."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of one attempt. Their values are in here and in the process's environment, and nowhere else."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> list[str]:
        """Their names, which are no secret."""
        return sorted(self.values)

    def mask(self, text: str) -> str:
        """The text with `***` in place of each secret."""
        return os.fsdecode(self.mask_bytes(os.fsencode(text)))

    def mask_bytes(self, data: bytes) -> bytes:
        """The bytes with `***` in place of each secret."""
        return self._masked(data) if self.values else data

    def mask_log(self, log: Log) -> Log:
        """The log with `***` in place of each secret; also of what the cut in its middle has left of one."""
        if not self.values:
            return log
        if not log.omitted:
            return Log(head=self._masked(log.head + log.tail))
        return Log(self._masked(log.head, is_cut_behind=True), self._masked(log.tail, is_cut_before=True), log.omitted)

    def _forms(self) -> list[bytes]:
        """What is looked for, the longest first: the values, as they are and as JSON and URLs write them, and their
        longer lines."""
        forms: set[bytes] = set()
        for value in self.values.values():
            lines = [line for line in value.splitlines() if len(line) >= SHORTEST_LINE]
            as_json = json.dumps(value)[1:-1]
            forms |= {*map(os.fsencode, (value, as_json, *lines)), quote(os.fsencode(value), "").encode()}
        return sorted(forms, key=len, reverse=True)

    def _masked(self, data: bytes, *, is_cut_before: bool = False, is_cut_behind: bool = False) -> bytes:
        forms = self._forms()
        pieces = re.split(b"|".join(map(re.escape, forms)), data)
        if is_cut_before:
            endings = (form[start:] for form in forms for start in range(1, len(form)))
            cut = max((len(each) for each in endings if pieces[0].startswith(each)), default=0)
            pieces[:1] = [b"", pieces[0][cut:]] if cut else pieces[:1]
        if is_cut_behind:
            beginnings = (form[:length] for form in forms for length in range(1, len(form)))
            cut = max((len(each) for each in beginnings if pieces[-1].endswith(each)), default=0)
            pieces[-1:] = [pieces[-1][:-cut], b""] if cut else pieces[-1:]
        return MASK.encode().join(pieces)


def find_secrets(names: Collection[str], environment: Mapping[str, str] = os.environ) -> Secrets:
    """The secrets of those names, from the worker's `AA_SECRET_NAME`, or the file that `AA_SECRET_NAME_FILE` names.

    They are looked up anew for every attempt. Line ends behind the text of a file are not part of it. Raises
    `MissingSecret`.
    """
    return Secrets({name: _find(name, environment) for name in names})


def _find(name: str, environment: Mapping[str, str]) -> str:
    variable = f"{PREFIX}{name}"
    if name in SERVERS_SECRETS:
        raise MissingSecret(f"the secret {name!r} is A_A's own {variable}, which no task is given")
    value = environment.get(variable, "")
    path = environment.get(f"{variable}_FILE", "")
    if not value and path:
        try:
            value = os.fsdecode(Path(path).read_bytes()).rstrip("\r\n")
        except OSError as error:
            raise MissingSecret(
                f"the secret {name!r} is missing: {variable}_FILE names a file that cannot be read: {error.strerror}"
            ) from error
        if "\0" in value:
            raise MissingSecret(f"the secret {name!r} cannot be a variable: the file of {variable}_FILE holds a NUL")
    if not value:
        raise MissingSecret(f"the secret {name!r} is missing: the worker has neither {variable} nor {variable}_FILE")
    return value
