"""A steady load of mixed jobs under faults at random moments, and what must hold when all is at rest.

`make faults N=2000 KILLS=200 SEED=1` runs it at any size, on both stacks, and prints the figures.
"""

import random
import time
from pathlib import Path

from faults.storm.figures import Figures
from faults.storm.installation import Installation
from faults.storm.leftovers import leftovers, sweep
from faults.storm.load import Load
from faults.storm.record import Record
from faults.storm.strikes import Strikes
from faults.storm.verdicts import Excuses, Verdicts

BROKEN = ("an attempt broke", "cannot look after its queues", "that run here cannot be kept", "could not be removed")
"""Log lines of A_A itself that tell of something it had not thought of."""


class Storm:
    """One installation, its callers, and what befalls it."""

    def __init__(self, folder: Path, submissions: int, kills: int, seed: int) -> None:
        self.submissions, self.kills, self.seed = submissions, kills, seed
        self.figures = Figures()
        self.installation = Installation(folder)

    def run(self) -> Figures:
        """Apply, serve, send and strike; then wait for rest and look."""
        try:
            self.installation.start()
            began = time.monotonic()
            load = Load(self.installation.system.service.address, self.submissions, self.seed, self.figures)
            strikes = Strikes(self.installation, load, self.seed, self.figures)
            load.start()
            try:
                if not self._strike(load, strikes, began):
                    self.figures.note(["the load did not get through in time"])
            except BaseException:
                load.giving_up.set()
                raise
            finally:
                load.until.set()
                load.wait()
                strikes.settle()
            strikes.lose_the_last()
            strikes.close()
            if not self.installation.rest(120 + self.submissions / 10):
                self.figures.note(["it did not come to rest", *self.installation.unrest()])
            self.figures.seconds = time.monotonic() - began
            self._look(load, strikes)
        finally:
            self.installation.remove()
        return self.figures

    def _patience(self) -> float:
        """Seconds that only end a run that hangs."""
        return 300 + self.submissions + 5 * self.kills

    def _strike(self, load: Load, strikes: Strikes, began: float) -> bool:
        """All faults, spread at random over the time in which the submissions are taken; False where it hangs."""
        chance = random.Random(f"{self.seed} moments")
        moments = sorted(chance.uniform(0.02, 0.98) * self.submissions for _ in range(self.kills))
        for number, moment in enumerate(moments):
            load.ahead = number / self.kills
            struck = False
            while not struck:
                if time.monotonic() - began > self._patience():
                    load.giving_up.set()
                    return False
                self.installation.keep_workers()
                time.sleep(chance.random() * 0.1)
                struck = load.accepted >= moment and strikes.strike()
        load.ahead = 1.0
        self.figures.last_fault = time.monotonic() - began
        load.until.set()
        while load.accepted < self.submissions and time.monotonic() - began < self._patience():
            self.installation.keep_workers()
            time.sleep(0.2)
        if load.accepted < self.submissions:
            load.giving_up.set()
        return load.accepted >= self.submissions

    def _look(self, load: Load, strikes: Strikes) -> None:
        """From outside: at the database, at the service's answers, at processes and files."""
        figures = self.figures
        figures.swept = sweep(self.installation)
        record = Record(self.installation.rows)
        figures.steps = len(record.step_runs)
        attempts = [attempt for each in record.attempts.values() for attempt in each]
        figures.attempts = len(attempts)
        figures.causes.update(attempt["cause"] or "none" for attempt in attempts)
        figures.results = sum(len(each) for each in record.results.values())
        excuses = Excuses(frozenset(strikes.struck), [*strikes.full, *record.times_of("greedy")])
        verdicts = Verdicts(record, excuses, self.installation.system.service.http, figures)
        figures.note(verdicts.judge(load.sent))
        figures.note(record.disagreements())
        figures.note(leftovers(self.installation))
        log = self.installation.system.log.read_text(errors="replace").splitlines()
        figures.tracebacks = sum(line.startswith("Traceback") for line in log)
        figures.note(line for line in log if " ERROR " in line and any(words in line for words in BROKEN))
        code = self.installation.stop()
        figures.note([f"it stopped with exit code {code}"] if code else [])
