"""Polls, of which there are many for each change.

An answer is kept with the submission's stamp and given again while the stamp is the same. Each poll reads the stamp,
so what has changed, or was deleted, is seen at once, whichever process changed it; what is spared is to read the rest
and to write it down again. Why a step waits is no matter of the submission's alone, so while one is QUEUED an answer is
kept for a second.
"""

import datetime as dt
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from analytics_automated.api.addresses import Addresses
from analytics_automated.api.answers import Answer
from analytics_automated.api.schemas import SubmissionState
from analytics_automated.runs.progress import poll_pause
from analytics_automated.runs.stamps import Stamp, read_stamp
from analytics_automated.runs.states import StepStatus

MOST_BYTES = 4_000_000
"""Of the answers that a process keeps; with their stamps they take about three times as much."""
REASON_SECONDS = 1.0
"""So old may be what is said of why a step waits."""


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: Stamp
    answer: Answer
    poll_after: int | None
    created: dt.datetime
    until: float
    """By the monotonic clock."""

    def is_right(self, stamp: Stamp | None) -> bool:
        """True where the answer would be the same if it were made now."""
        pause = self.poll_after and poll_pause(self.created)
        return stamp == self.stamp and pause == self.poll_after and time.monotonic() < self.until


class _Answers:
    """The answers that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept = OrderedDict[tuple[uuid.UUID, str], _Kept]()
        self._bytes = 0

    def get(self, key: tuple[uuid.UUID, str]) -> _Kept | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: tuple[uuid.UUID, str], kept: _Kept) -> None:
        with self._lock:
            self._drop(key)
            self._kept[key] = kept
            self._bytes += len(kept.answer.content)
            while self._bytes > MOST_BYTES:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[uuid.UUID, str]) -> None:
        dropped = self._kept.pop(key, None)
        self._bytes -= len(dropped.answer.content) if dropped else 0


_answers = _Answers()


def answer_poll(submission_id: uuid.UUID, addresses: Addresses, read: Callable[[], SubmissionState]) -> Answer:
    """The answer to a poll; `read` reads the submission, where there is no answer that is still right."""
    key = (submission_id, addresses.base)
    stamp = read_stamp(submission_id)
    kept = _answers.get(key)
    if kept is not None and kept.is_right(stamp):
        return kept.answer
    state = read()
    answer = Answer.of(state, retry_after=state.poll_after)
    if stamp is not None and _shows(state, stamp):
        waits = any(each.status == StepStatus.QUEUED for each in stamp.steps)
        until = time.monotonic() + REASON_SECONDS if waits else float("inf")
        _answers.keep(key, _Kept(stamp, answer, state.poll_after, state.created, until))
    return answer


def _shows(state: SubmissionState, stamp: Stamp) -> bool:
    """Whether the state, which was read a moment after the stamp, follows from it. The items of a scattered step are
    in no stamp: while they run, they have to be counted each time."""
    if state.status != stamp.status:
        return False
    if state.poll_after is None:
        return True
    shown = [(each.status, each.attempt, each.progress) for each in state.steps]
    return shown == [(each.status, each.attempt, None) for each in stamp.steps if not each.item]
