"""`aa schema` and `aa init` as people run them."""

import json
from pathlib import Path

from analytics_automated.pipelines.files.schema import pipeline_schema
from integration.live import aa


def test_the_schema_for_editors_is_printed_without_a_database(tmp_path: Path) -> None:
    done = aa(tmp_path / "data", "schema")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == pipeline_schema()
    assert not (tmp_path / "data").exists(), "nothing was made"
