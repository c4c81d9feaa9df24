"""Whether the storm would find a broken engine: `make mutants` runs it on copies that are each broken in one place.

A storm that passes on one of them proves nothing. Needs minutes for each, as some come to rest never.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZE = os.environ.get("AA_TEST_STORM", "200,60,1")
STACK = os.environ.get("AA_TEST_STACK", "embedded")


@dataclass(frozen=True)
class Mutant:
    """One place, and how it is broken."""

    name: str
    file: str
    right: str
    wrong: str

    def break_in(self, source: Path) -> None:
        """Break that copy."""
        path = source / "analytics_automated" / self.file
        text = path.read_text()
        if text.count(self.right) != 1:
            raise SystemExit(
                f"{self.name}: {self.file} has changed; {self.right!r} is there {text.count(self.right)} times"
            )
        path.write_text(text.replace(self.right, self.wrong))


MUTANTS = [
    Mutant(
        "a late worker can still finish a step that was given away",
        "runs/engine/finishing.py",
        "    return bool(mine)\n\n\ndef close_attempt",
        "    return True\n\n\ndef close_attempt",
    ),
    Mutant(
        "nobody looks for steps whose message was lost",
        "runs/engine/reconciling.py",
        "        wake_all(forgotten)\n",
        "",
    ),
    Mutant(
        "nobody looks for the steps of workers that are gone",
        "runs/engine/losing.py",
        "    now = timezone.now()\n    message = f\"Step '{step_run.step}' was lost",
        "    return False\n    now = timezone.now()\n    message = f\"Step '{step_run.step}' was lost",
    ),
    Mutant(
        "nobody ends processes that a command left",
        "worker/janitor.py",
        "        survivors = end_orphans(attempt)\n",
        "        survivors = []\n",
    ),
]


def is_found(mutant: Mutant) -> bool:
    """Whether a storm fails on it."""
    with tempfile.TemporaryDirectory(prefix="aa-mutant-") as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source)
        mutant.break_in(source)
        command = [sys.executable, "-m", "pytest", "-q", "-s", "--stack", STACK, "tests/faults/test_storm.py"]
        environment = {**os.environ, "PYTHONPATH": str(source), "AA_TEST_STORM": SIZE}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        figures = [index for index, line in enumerate(lines) if line.startswith("wrong ")]
        found = done.returncode == 1 and bool(figures) and lines[figures[0]].split() != ["wrong", "0"]
        print(f"{'found' if found else 'NOT FOUND'}: {mutant.name}")
        shown = lines[figures[0] : figures[0] + 4] if figures else lines[-12:]
        print("\n".join(f"    {line[:200]}" for line in shown), flush=True)
        return found


def main() -> None:
    """Run a storm on each; exits with 1 where any was not found."""
    found = [is_found(mutant) for mutant in MUTANTS]
    raise SystemExit(0 if all(found) else 1)


if __name__ == "__main__":
    main()
