"""Whether each submission ended as it may, with right results, as seen from outside."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx

from faults.storm.figures import Figures
from faults.storm.jobs import FAILING, SMALL, right_results
from faults.storm.load import TERMINAL, Sent
from faults.storm.record import Record, Row, moment

LOST_OFTEN = 4
"""Lost so often, a step without `retries` of its own ends with CRASH: tried once, and three times again."""


@dataclass(frozen=True)
class Excuses:
    """What was done to commands: those may fail by it, and no others."""

    struck: frozenset[str]
    """Names of attempts of which a process was killed."""
    full: Sequence[tuple[float, float]]
    """When the disk was full, in seconds since 1970."""

    def cover(self, record: Record, step: Row) -> bool:
        """Whether the step may have ended with ERROR, though its command fails never by itself."""
        attempt = record.attempts[step["id"]][-1]
        if f"{step['submission_id']}-{step['id']}.{attempt['number']}" in self.struck:
            return True
        began, ended = moment(attempt["started"]), moment(attempt["finished"])
        return step["backend"] == SMALL and any(first <= ended and began <= last for first, last in self.full)


class Verdicts:
    """Judges what was sent by what the record and the service say."""

    def __init__(self, record: Record, excuses: Excuses, http: httpx.Client, figures: Figures) -> None:
        self.record, self.excuses, self.http, self.figures = record, excuses, http, figures

    def judge(self, sent: Sequence[Sent]) -> Iterator[str]:
        """Everything that is wrong with submissions; counts their ends."""
        accepted = {each.id.replace("-", ""): each for each in sent if each.id is not None}
        for key, each in accepted.items():
            row = self.record.submissions.get(key)
            if row is None:
                yield f"{each.id} ({each.job}) was accepted and is not there"
                continue
            self.figures.ends[f"{each.job} {row['status']}"] += 1
            yield from (f"{each.id} ({each.job}) {wrong}" for wrong in self._judge(each, row))
        yield from self._others(sent, set(self.record.submissions) - set(accepted))

    def _others(self, sent: Sequence[Sent], others: set[str]) -> Iterator[str]:
        """Those of which no caller knows. They may be there, at most one for each request without an answer, and must
        have ended like all."""
        open_requests: dict[str, list[Sent]] = {}
        for each in sent:
            if each.id is None:
                open_requests.setdefault(each.name, []).append(each)
        for key in others:
            row = self.record.submissions[key]
            if not open_requests.get(row["name"]):
                yield f"{key} is there, and nobody sent it"
                continue
            self.figures.unanswered_taken += 1
            yield from (
                f"{key}, whose request had no answer, {wrong}"
                for wrong in self._judge(open_requests[row["name"]].pop(), row)
            )

    def _judge(self, sent: Sent, row: Row) -> Iterator[str]:
        status = row["status"]
        if status not in TERMINAL:
            yield f"is {status}: {self.record.story(row['id'])}"
            return
        if sent.end and status != sent.end and not sent.retried:
            yield f"is {status}, and its caller saw it end as {sent.end}"
        answer = self.http.get(f"/api/v1/submissions/{uuid.UUID(row['id'])}")
        if sent.deleted or (sent.delete_asked and row["deleted"] is not None):
            if answer.status_code != 410 or row["deleted"] is None:
                yield f"was deleted, and is asked about with {answer.status_code}"
            return
        if answer.status_code != 200 or answer.json()["status"] != status:
            yield f"is {status}, and the service says {answer.text[:300]}"
            return
        yield from self._judge_end(sent, row, answer.json()["message"])
        if status == "COMPLETE":
            yield from self._judge_results(sent, row, answer.json()["results"])

    def _judge_end(self, sent: Sent, row: Row, message: str) -> Iterator[str]:
        status, steps = row["status"], self.record.steps_of[row["id"]]
        if status == "COMPLETE" and sent.job in FAILING:
            yield "is COMPLETE, and cannot be"
        if status == "CANCELLED" and not sent.cancelled:
            yield "is CANCELLED, and nobody asked for that"
        failed = [step for step in steps if step["status"] == "ERROR"]
        if (
            status == "ERROR"
            and sent.job not in FAILING
            and not any(self.excuses.cover(self.record, step) for step in failed)
        ):
            yield f"is ERROR, and nothing was done to its command: {message}"
        for step in steps:
            if step["status"] == "CRASH":
                causes = [attempt["cause"] for attempt in self.record.attempts[step["id"]]]
                if causes.count("lost") < LOST_OFTEN:
                    yield f"is CRASH, and the attempts of {step['step']} ended by {causes}: {message}"

    def _judge_results(self, sent: Sent, row: Row, told: Sequence[Row]) -> Iterator[str]:
        right = right_results(sent.job, sent.data)
        expected = Counter((name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in right.items())
        if self.record.public_results(row["id"]) != expected:
            yield f"has wrong results in its rows: {self.record.public_results(row['id'])}"
        if Counter((each["name"], each["sha256"], each["size"]) for each in told) != expected:
            yield f"is answered with wrong results: {told}"
        for each in told:
            fetched = self.http.get(each["url"])
            self.figures.compared += 1
            if fetched.status_code != 200 or fetched.content != right.get(each["name"]):
                yield f"gives wrong bytes as {each['name']}: {fetched.status_code}, {len(fetched.content)} bytes"
