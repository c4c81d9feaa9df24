"""What the database says at the end, and whether that agrees with itself."""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str, int]
"""Submission, step and item."""
_COLUMNS = {
    "runs_submission": "id, job_name, name, status, verdict, unfinished, deleted, erased",
    "runs_steprun": "id, submission_id, step, item, task, backend, status, attempt, waiting, leased_until, cancelling",
    "runs_attempt": "id, step_run_id, number, started, finished, cause",
    "runs_event": "id, submission_id, step, item, status",
    "runs_result": "id, submission_id, step_run_id, step, output, position, name, blob_id",
    "runs_scatter": "submission_id, step, total, released, complete, skipped, failed, cancelled, status",
    "storage_blob": "id, sha256, size, key",
}
_ENDS = frozenset({"COMPLETE", "ERROR", "CRASH", "CANCELLED", "SKIPPED"})
_MANY = frozenset({"deal"})
"""Tasks that leave any number of files."""
_NONE = frozenset({"fail"})


class Record:
    """All rows of an installation's runs, read at once."""

    def __init__(self, rows: Callable[[str], Sequence[Row]]) -> None:
        read = {table: list(rows(f"SELECT {columns} FROM {table} ORDER BY 1")) for table, columns in _COLUMNS.items()}
        for table in read.values():
            for row in table:
                row.update(
                    {
                        name: _hex(row[name])
                        for name in ("id", "submission_id")
                        if isinstance(row.get(name), str | uuid.UUID)
                    }
                )
        self.submissions = {row["id"]: row for row in read["runs_submission"]}
        self.step_runs = {row["id"]: row for row in read["runs_steprun"]}
        self.attempts = _grouped(read["runs_attempt"], "step_run_id")
        self.events, self.scatters = read["runs_event"], read["runs_scatter"]
        self.results = _grouped(read["runs_result"], "step_run_id")
        self.blobs = {row["id"]: row for row in read["storage_blob"]}
        self.steps_of = _grouped(read["runs_steprun"], "submission_id")

    def public_results(self, submission: str) -> Counter[tuple[str, str, int]]:
        """Name, digest and size of what its caller gets."""
        results = (result for step in self.steps_of[submission] for result in self.results[step["id"]])
        return Counter(
            (each["name"], self.blobs[each["blob_id"]]["sha256"], self.blobs[each["blob_id"]]["size"])
            for each in results
            if each["name"]
        )

    def story(self, submission: str) -> str:
        """What happened to it, in short: for whoever looks for a fault."""
        events = (each for each in self.events if each["submission_id"] == submission)
        told = [f"{each['step']}{each['item'] or ''} {each['status']}" for each in events]
        rows = [(each["step"], each["item"], each["status"], each["attempt"]) for each in self.steps_of[submission]]
        return f"steps {rows}; events {told}"

    def times_of(self, task: str) -> list[tuple[float, float]]:
        """When attempts of a task began and ended, in seconds since 1970."""
        return [
            (moment(each["started"]), moment(each["finished"]))
            for step in self.step_runs.values()
            if step["task"] == task
            for each in self.attempts[step["id"]]
            if each["finished"] is not None
        ]

    def disagreements(self) -> Iterator[str]:
        """Sentences on rows that contradict each other."""
        yield from self._submissions()
        yield from self._steps()
        yield from self._events()
        yield from self._scatters()

    def _submissions(self) -> Iterator[str]:
        for key, row in self.submissions.items():
            steps = Counter(each["status"] for each in self.steps_of[key])
            if row["unfinished"]:
                yield f"{key} counts {row['unfinished']} unfinished steps"
            if left := {status for status in steps if status not in _ENDS}:
                yield f"{key} is {row['status']}, and steps of it are {left}"
            if row["status"] == "COMPLETE" and set(steps) - {"COMPLETE", "SKIPPED"}:
                yield f"{key} is COMPLETE, and its steps are {dict(steps)}"
            if row["status"] in {"ERROR", "CRASH"} and not steps[row["status"]]:
                yield f"{key} is {row['status']}, and its steps are {dict(steps)}"
            if row["deleted"] is not None and not row["erased"]:
                yield f"{key} was deleted, and is not erased"

    def _steps(self) -> Iterator[str]:
        for key, row in self.step_runs.items():
            said = f"step {row['step']} {row['item']} of {row['submission_id']} ({row['status']})"
            attempts = self.attempts[key]
            if [each["number"] for each in attempts] != list(range(1, row["attempt"] + 1)):
                yield f"{said} has attempts {[each['number'] for each in attempts]}, and should have {row['attempt']}"
            if open_ones := [each["number"] for each in attempts if each["finished"] is None]:
                yield f"{said} has attempts that have not ended: {open_ones}"
            if row["leased_until"] is not None:
                yield f"{said} is still leased"
            results, complete = self.results[key], row["status"] == "COMPLETE"
            if complete and (not attempts or attempts[-1]["cause"] not in {"", "exit"}):
                yield f"{said} has attempts that ended by {[each['cause'] for each in attempts]}"
            if results and not complete:
                yield f"{said} has {len(results)} results"
            if len({(each["output"], each["position"]) for each in results}) < len(results):
                yield f"{said} has results that are counted twice"
            if complete and not self._is_erased(row) and not _is_right_number(row["task"], len(results)):
                yield f"{said} has {len(results)} results"

    def _events(self) -> Iterator[str]:
        history: dict[Key, list[str]] = defaultdict(list)
        for event in self.events:
            history[event["submission_id"], event["step"], event["item"]].append(event["status"])
        states: dict[Key, str] = {(key, "", 0): row["status"] for key, row in self.submissions.items()}
        states |= {(row["submission_id"], row["step"], row["item"]): row["status"] for row in self.step_runs.values()}
        attempts = {(row["submission_id"], row["step"], row["item"]): row["attempt"] for row in self.step_runs.values()}
        shared = {key[:2]: set(told) & {"CANCELLED", "SKIPPED"} for key, told in history.items() if not key[2]}
        for key, status in states.items():
            told = history.pop(key, [])
            if self.submissions[key[0]]["erased"]:
                if told:
                    yield f"{key} was erased, and has events"
                continue
            if key[2] and status in shared.get(key[:2], ()):
                told.append(status)  # items that still waited have one line together
            if not told or told[-1] != status:
                yield f"{key} is {status}, and its events say {told}"
            if told.count("COMPLETE") > 1:
                yield f"{key} was COMPLETE {told.count('COMPLETE')} times"
            if key in attempts and told.count("RUNNING") != attempts[key]:
                yield f"{key} has {attempts[key]} attempts, and its events say {told}"
        for key in [(*each[:2], 0) for each in states if each[2]]:
            # A step that was cancelled before it was taken apart, and started again.
            if set(history.get(key, ())) <= {"CANCELLED", "SKIPPED"}:
                history.pop(key, None)
        if history:
            yield f"{len(history)} events are of nothing that is there, such as {next(iter(history.items()))}"

    def _scatters(self) -> Iterator[str]:
        for row in self.scatters:
            items = [each for each in self.steps_of[row["submission_id"]] if each["step"] == row["step"]]
            ends = Counter(each["status"] for each in items)
            counted = (row["total"], row["complete"], row["skipped"], row["failed"], row["cancelled"])
            there = (len(items), ends["COMPLETE"], ends["SKIPPED"], ends["ERROR"] + ends["CRASH"], ends["CANCELLED"])
            if counted != there:
                yield f"scatter {row['step']} of {row['submission_id']} counts {counted}, and there are {there}"

    def _is_erased(self, step_run: Row) -> bool:
        return bool(self.submissions[step_run["submission_id"]]["erased"])


def moment(value: Any) -> float:
    """A time of the database in seconds since 1970: PostgreSQL gives a time, SQLite the text of one in UTC."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC)
    return float(value.timestamp())


def _hex(value: Any) -> str:
    return str(value).replace("-", "")


def _grouped(rows: Sequence[Row], by: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[by]].append(row)
    return found


def _is_right_number(task: str, results: int) -> bool:
    if task in _MANY:
        return results > 0
    return results == (0 if task in _NONE else 1)
