"""Nothing is lost and nothing is wrong after a storm. AA_TEST_STORM sets its size: `submissions,kills,seed`."""

import os
from pathlib import Path

from faults.storm import Storm

SUBMISSIONS, KILLS, SEED = (int(part) for part in os.environ.get("AA_TEST_STORM", "150,25,1").split(","))


def test_after_a_storm_nothing_is_lost_and_nothing_is_wrong(tmp_path: Path) -> None:
    figures = Storm(tmp_path / "storm", SUBMISSIONS, KILLS, SEED).run()
    print(f"\n{figures}")
    assert figures.accepted >= SUBMISSIONS
    assert sum(figures.faults.values()) == KILLS + 1
    assert figures.wrong == []
