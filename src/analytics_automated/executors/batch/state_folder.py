"""The folder in which an attempt that a scheduler looks after keeps what is known of it, for whoever asks later."""

import contextlib
import json
import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from analytics_automated.executors.base import Cause, CommandSpec, Log, Outcome
from analytics_automated.executors.batch.file_logs import read_log
from analytics_automated.executors.batch.labels import Label
from analytics_automated.executors.batch.wrapper import command_script, wrapper_script

_MARKERS = {Cause.CANCELLED: "cancelled", Cause.TIMEOUT: "timeout", Cause.LOST: "put-back"}
_TIMES = re.compile(r"(\d+)m(\d+(?:\.\d+)?)s")  # POSIX.1-2017 XCU, `times`


@dataclass(frozen=True, slots=True)
class Ending:
    """How the wrapper saw its command end."""

    exit_code: int | None
    signal: int | None
    told: bool
    """Whether the scheduler had told the job to end."""
    cpu_seconds: float | None


class StateFolder:
    """The files of one attempt. Some are written here, some by the wrapper on its node; each appears whole.

    `job.json` (what a poller must know), `wrapper` and `command` (scripts), `submitting` (the scheduler is being asked,
    and by what label), `id` (what it answered); of the node: `claim`, `job` (the id that it runs as), `started`,
    `exit`, `refusal` and `unreachable` (why there was no command), `stdout`, `stderr` and `node.log`; `scheduler.log`
    (what the scheduler itself says to the job); `cancelled`, `timeout` and `put-back` (why we are ending it);
    `outcome.json` (how it was judged).
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, spec: CommandSpec) -> Self:
        """That of a command. Raises `ValueError` where it has none."""
        if spec.state is None or not spec.state.is_absolute():
            raise ValueError(f"{spec.attempt}: a scheduler needs a state folder, by its absolute path")
        return cls(spec.state)

    # Submitting

    def prepare(self, spec: CommandSpec) -> None:
        """Write what the node and later pollers need. Raises `OSError`."""
        self.keep(spec)
        self._write("command", command_script(spec, self.path))
        self._write("wrapper", wrapper_script(spec, self.path))

    def keep(self, spec: CommandSpec) -> None:
        """Write what later pollers need. Raises `OSError`."""
        kept = {
            "attempt": spec.attempt,
            "timeout": spec.timeout,
            "memory": spec.resources.memory,
            "log_limit": spec.log_limit,
            "logs": [name for name in ("stdout", "stderr") if getattr(spec, name) is None],
        }
        self._write("job.json", json.dumps(kept))

    def begin_submitting(self, label: Label) -> None:
        """From now on the scheduler may have taken the command, by that label. Raises `OSError`."""
        self._write("submitting", str(label))

    def give_up_submitting(self) -> None:
        """The scheduler has refused it."""
        (self.path / "submitting").unlink(missing_ok=True)

    @property
    def label(self) -> Label | None:
        """By which the scheduler may have taken the command; none where it has not been asked."""
        text = self._line("submitting")
        return Label.read(text) if text else None

    def submitted(self, job: str) -> None:
        """The scheduler has answered: it is this job."""
        self._write("id", job)

    @property
    def job(self) -> str | None:
        """The job that runs the attempt; before it does, the one that it was handed over as."""
        return self._line("job") or self._line("id")

    # On the node

    @property
    def claimed(self) -> bool:
        """Whether a node has taken it up."""
        return (self.path / "claim").exists()

    def running_for(self) -> float | None:
        """Seconds since the command was started; none before. Both moments are by the clock of the disk."""
        started = self._moment("started")
        if started is None:
            return None
        clock = self.path / "clock"
        try:
            clock.touch()
            return max(0.0, clock.stat().st_mtime - started)
        except OSError:  # a full or read-only disk: our own clock is as good as what there is
            return max(0.0, time.time() - started)

    def ending(self) -> Ending | None:
        """How the command ended, where the wrapper has said so."""
        try:
            lines = (self.path / "exit").read_text().splitlines()
        except FileNotFoundError:
            return None
        kind, _, number = lines[0].partition(" ")
        used = [60 * int(minutes) + float(seconds) for minutes, seconds in _TIMES.findall("\n".join(lines[3:]))]
        return Ending(
            exit_code=int(number) if kind == "exit" else None,
            signal=int(number) if kind == "signal" else None,
            told="told" in lines[1:2],
            cpu_seconds=sum(used) if used else None,
        )

    def ended_for(self) -> float | None:
        """Seconds since the wrapper said how the command ended, by this machine's clock."""
        moment = self._moment("exit")
        return None if moment is None else time.time() - moment

    def seconds(self) -> float | None:
        """How long the command ran, where both ends are known."""
        started, ended = self._moment("started"), self._moment("exit")
        return None if started is None or ended is None else max(0.0, ended - started)

    @property
    def refusal(self) -> str:
        """Why the program could not be started on the node."""
        return self._line("refusal") or ""

    @property
    def unreachable(self) -> str:
        """Why the node could not even try."""
        return self._line("unreachable") or ""

    def said(self, limit: int = 2000) -> str:
        """What the scheduler and the wrapper's shell wrote, for the operator: the last of it."""
        logs = (read_log(self.path / name, limit) for name in ("scheduler.log", "node.log"))
        return "\n".join(text for log in logs if (text := (log.tail or log.head).decode(errors="replace").strip()))

    # Ending it

    def mark(self, cause: Cause) -> None:
        """We are about to end it, for this cause; the first one counts. Raises `OSError`."""
        if self.marked() is None:
            self._write(_MARKERS[cause], "")

    def marked(self) -> Cause | None:
        """Why we have ended it, where we have."""
        return next((cause for cause, name in _MARKERS.items() if (self.path / name).exists()), None)

    # Its outcome

    @property
    def timeout(self) -> float | None:
        """Seconds that the command may run."""
        limit = self._kept().get("timeout")
        return None if limit is None else float(limit)

    @property
    def memory(self) -> int | None:
        """Bytes that the command may have."""
        limit = self._kept().get("memory")
        return None if limit is None else int(limit)

    def settle(self, outcome: Outcome) -> Outcome:
        """Keep the outcome, for whoever asks again; it comes back with its logs. The first one counts."""
        settled = self.outcome()
        if settled is not None:
            return settled
        fields = {
            name: getattr(outcome, name)
            for name in ("cause", "exit_code", "signal", "seconds", "cpu_seconds", "peak_memory", "detail")
        }
        # On a full disk it is judged again the next time.
        with contextlib.suppress(OSError):
            self._write("outcome.json", json.dumps(fields))
        return self._with_logs(fields)

    def outcome(self) -> Outcome | None:
        """How it was judged, with its logs, where it was."""
        fields = self._json("outcome.json")
        return self._with_logs(fields) if fields else None

    def _with_logs(self, fields: dict[str, Any]) -> Outcome:
        kept = self._kept()
        logs = {name: read_log(self.path / name, kept["log_limit"]) for name in kept.get("logs", ())}
        return Outcome(
            **{**fields, "cause": Cause(fields["cause"])},
            stdout=logs.get("stdout", Log()),
            stderr=logs.get("stderr", Log()),
        )

    def _kept(self) -> dict[str, Any]:
        return self._json("job.json")

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.path / name).read_text()))
        except FileNotFoundError:
            return {}

    def _line(self, name: str) -> str | None:
        try:
            return (self.path / name).read_text(errors="replace").strip() or None
        except FileNotFoundError:
            return None

    def _moment(self, name: str) -> float | None:
        try:
            return (self.path / name).stat().st_mtime
        except FileNotFoundError:
            return None

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all, for its owner only."""
        part = self.path / f"{name}.{os.getpid()}-{threading.get_ident()}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(os.fsencode(text))
        part.replace(self.path / name)
