"""The callers: a steady load of mixed jobs, and what callers do to what they sent."""

import contextlib
import random
import threading
import time
import uuid
from dataclasses import dataclass

import httpx

from faults.storm.figures import Figures
from faults.storm.jobs import choose, make_data

TERMINAL = frozenset({"COMPLETE", "ERROR", "CRASH", "CANCELLED"})
CALLERS = 4
MOST_OPEN = 12
"""Submissions that a caller has in progress at most."""
FEW_OPEN = 3
"""As many while the faults lag behind, so that there is work when they come, and never much too much."""
AT_ONCE = 4
"""Submissions that are sent for a fault."""
ACCEPTABLE = frozenset({503})
"""Statuses with which a POST may be refused."""


@dataclass
class Sent:
    """Something that a caller sent. Flags are set before the request goes out: its answer may not come."""

    name: str
    job: str
    data: bytes
    id: str | None = None
    """None where no answer said that it was taken."""
    cancelled: bool = False
    delete_asked: bool = False
    deleted: bool = False
    retried: bool = False
    resubmits: int = 0
    """Asked for and not answered."""
    end: str = ""
    """How it ended, as its caller saw it."""

    @property
    def address(self) -> str:
        """Where it is asked about."""
        return f"/api/v1/submissions/{self.id}"


class Load:
    """Callers in threads. They send until `total` submissions are accepted and `until` is set."""

    def __init__(self, address: str, total: int, seed: int, figures: Figures) -> None:
        self.total, self.figures = total, figures
        self.until = threading.Event()
        self.giving_up = threading.Event()
        self.ahead = 0.0
        """Part of all faults that are done."""
        self.sent: list[Sent] = []
        self._lock = threading.Lock()
        self._address, self._chance = address, random.Random(f"{seed} more")
        self._callers = [
            threading.Thread(
                target=self._call, args=(address, random.Random(f"{seed} {number}")), name=f"caller {number}"
            )
            for number in range(CALLERS)
        ]

    def start(self) -> None:
        """Begin to send."""
        for each in self._callers:
            each.start()

    def wait(self) -> None:
        """Until nobody sends any more."""
        for each in self._callers:
            each.join()

    def send_more(self, job: str) -> None:
        """Some to that job, at once, beside what all the others send."""
        with httpx.Client(base_url=self._address, timeout=30, trust_env=False) as http:
            for _ in range(AT_ONCE):
                self._send(http, self._chance, job)

    @property
    def accepted(self) -> int:
        """Submissions that were taken."""
        return self.figures.accepted

    def _is_over(self) -> bool:
        return self.giving_up.is_set() or (self.until.is_set() and self.accepted >= self.total)

    def _most_open(self) -> int:
        return FEW_OPEN if self.accepted / self.total > self.ahead + 0.05 else MOST_OPEN

    def _call(self, address: str, chance: random.Random) -> None:
        open_ones: list[Sent] = []
        with httpx.Client(base_url=address, timeout=30, trust_env=False) as http:
            while not self._is_over():
                if len(open_ones) < self._most_open():
                    open_ones += self._send(http, chance)
                    if open_ones and chance.random() < 0.06:
                        open_ones += self._act(http, chance.choice(open_ones), chance)
                else:
                    time.sleep(0.05)
                for each in chance.sample(open_ones, min(2, len(open_ones))):
                    if self._has_ended(http, each, chance):
                        open_ones.remove(each)

    def _send(self, http: httpx.Client, chance: random.Random, job: str = "") -> list[Sent]:
        job = job or choose(chance)
        token = uuid.UUID(int=chance.getrandbits(128)).hex
        sent = Sent(token, job, make_data(job, token, chance))
        with self._lock:
            self.sent.append(sent)
        return self._taken(
            http, f"/api/v1/jobs/{job}/submissions", sent, data={"name": token}, files={"data": ("d.txt", sent.data)}
        )

    def _taken(self, http: httpx.Client, address: str, sent: Sent, **request: object) -> list[Sent]:
        """POST; what was sent, where that is known to be accepted now."""
        try:
            answer = http.post(address, **request)  # type: ignore[arg-type]
        except httpx.HTTPError:
            with self._lock:
                self.figures.unanswered += 1
            time.sleep(0.1)
            return []
        if answer.status_code == 201:
            with self._lock:
                self.figures.accepted += 1
                sent.id = answer.json()["id"]
            return [sent]
        kind = answer.headers.get("content-type", "")
        told = answer.json()["type"].rpartition("/")[2] if "problem+json" in kind else kind
        with self._lock:
            self.figures.refused[f"{answer.status_code} {told}"] += 1
            if answer.status_code not in ACCEPTABLE:
                self.figures.note([f"a POST was answered with {answer.status_code}: {answer.text[:300]}"])
            elif "retry-after" not in answer.headers:
                self.figures.note([f"a {answer.status_code} says not when to come again: {answer.text[:300]}"])
        time.sleep(0.1)
        return []

    def _act(self, http: httpx.Client, sent: Sent, chance: random.Random) -> list[Sent]:
        """Cancel, delete, or submit again; what new submission came of it."""
        what = chance.choice(["cancel", "delete", "resubmit"])
        with self._lock:
            self.figures.asked[what] += 1
        if what == "resubmit":
            again = Sent(sent.name, sent.job, sent.data)
            with self._lock:
                self.sent.append(again)
            return self._taken(http, f"{sent.address}/resubmit", again)
        sent.cancelled = True
        sent.delete_asked = sent.delete_asked or what == "delete"
        with contextlib.suppress(httpx.HTTPError):
            if what == "delete":
                sent.deleted = http.delete(sent.address).status_code in {204, 410}
            else:
                http.post(f"{sent.address}/cancel")
        return []

    def _has_ended(self, http: httpx.Client, sent: Sent, chance: random.Random) -> bool:
        """Poll it once. What has failed is now and then started again."""
        try:
            answer = http.get(sent.address)
        except httpx.HTTPError:
            time.sleep(0.1)
            return False
        if answer.status_code == 410 and sent.delete_asked:
            sent.deleted = True
            return True
        if answer.status_code != 200:
            if answer.status_code != 503:
                self.figures.note([f"{sent.id} was asked about and the answer was {answer.status_code}"])
                return True
            time.sleep(0.1)
            return False
        status = answer.json()["status"]
        if status not in TERMINAL:
            return False
        sent.end = status
        if status != "COMPLETE" and not sent.delete_asked and chance.random() < 0.3:
            sent.retried, sent.end = True, ""
            with self._lock:
                self.figures.asked["retry"] += 1
            with contextlib.suppress(httpx.HTTPError):
                http.post(f"{sent.address}/retry")
        return True
