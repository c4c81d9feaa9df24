"""Steps that run once per file, and steps with conditions, by real workers over real HTTP."""

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from integration.live import LiveSystem, Service, aa, processes_of, until

CARDS = [
    ("card", ("queen.hearts.txt", b"Q")),
    ("card", ("ace of spades.txt", b"A")),
    ("card", ("queen.hearts.txt", b"K")),
]
NAMES = ["1-queen.hearts", "2-ace of spades", "3-queen.hearts"]


def statuses(submission: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["status"] for step in submission["steps"]}


def runs(service: Service, submission: dict[str, Any], step: str, **query: Any) -> list[dict[str, Any]]:
    """All runs of a step, page by page."""
    found: list[dict[str, Any]] = []
    address: str | None = service.step(submission, step)["runs"]["url"]
    parameters: dict[str, Any] | None = query
    while address:
        page = service.get(address, params=parameters).json()
        found += page["runs"]
        address, parameters = page["next"], None
    return found


def test_each_file_has_a_run_that_knows_which_it_is(service: Service) -> None:
    done = service.run("marks", files=CARDS)
    assert done["status"] == "COMPLETE", done["message"]
    results = service.results(done)
    for index, (name, card) in enumerate(zip(NAMES, "QAK", strict=True), 1):
        stem = name[2:]
        marked = f"{index} {stem} {index} of {stem}: {card}\n"
        assert results[f"mark_marked/{name}/marked.txt"].decode() == marked
        assert results[f"mark_by_command_marked/{name}/marked.txt"].decode() == f"item-{index} {stem}\n"
    assert results["join_all"] == b"1\n2\n3\n"
    assert results["join_paths"].decode().splitlines() == [f"./{name}/note.txt" for name in NAMES]
    archive = zipfile.ZipFile(io.BytesIO(service.get(done["links"]["archive"]).content))
    assert [name for name in archive.namelist() if name.startswith("mark_marked")] == [
        f"mark_marked/{name}/marked.txt" for name in NAMES
    ]
    assert [name for name in results if name.startswith("again")] == [
        f"again_marked/{n}-marked/marked.txt" for n in (1, 2, 3)
    ]


def test_a_scattered_step_is_one_step_with_many_runs(service: Service) -> None:
    done = service.run("marks", files=CARDS)
    assert [step["name"] for step in done["steps"]] == ["mark", "mark_by_command", "join", "again"]
    step = service.step(done, "mark")
    counts = {name: step["runs"][name] for name in ("total", "complete", "failed", "running")}
    assert counts == {"total": 3, "complete": 3, "failed": 0, "running": 0}
    listed = runs(service, done, "mark", limit=2)
    assert [(run["item"], run["name"], run["status"]) for run in listed] == [
        (index, name, "COMPLETE") for index, name in enumerate(NAMES, 1)
    ]
    assert {run["exit_code"] for run in listed} == {0}
    assert runs(service, done, "mark", status="ERROR") == []
    (single,) = runs(service, done, "join")
    assert (single["item"], single["name"], single["status"]) == (None, None, "COMPLETE")
    assert service.http.get(f"/api/v1/submissions/{done['id']}/steps/unknown/runs").status_code == 404
    events = service.get(done["links"]["events"]).json()["events"]
    assert sorted(each["item"] for each in events if each["step"] == "mark" and each["status"] == "COMPLETE") == [
        1,
        2,
        3,
    ]
    assert {each["item"] for each in events if each["step"] == "join"} == {None}


def test_no_file_at_all_skips_the_step_and_what_needs_it(service: Service) -> None:
    done = service.run("wide", json={"parameters": {"deal_count": 0}})
    assert done["status"] == "COMPLETE"
    assert statuses(done) == {"deal": "COMPLETE", "nothing": "SKIPPED", "count_cards": "SKIPPED"}
    assert (
        service.step(done, "nothing")["message"] == "Step 'nothing' was skipped: there is nothing for its input 'card'."
    )


def test_more_files_than_allowed_are_an_error_before_anything_runs(service: Service) -> None:
    done = service.run("at_most_three", json={"parameters": {"deal_count": 4}})
    assert done["status"] == "ERROR"
    message = "Step 'nothing' was not started: it would run once for each of 4 files, and at most 3 are allowed."
    assert done["message"] == message
    assert service.run("at_most_three", json={"parameters": {"deal_count": 3}})["status"] == "COMPLETE"


def test_a_step_of_a_thousand_items_completes(service: Service, record_property: Any) -> None:
    began = time.monotonic()
    given = service.submit("wide", json={"parameters": {"deal_count": 1000}})
    address = given["links"]["self"]
    until(lambda: service.get(address).json()["status"] in {"COMPLETE", "ERROR", "CRASH"}, "a thousand items", 150)
    record_property("seconds", time.monotonic() - began)
    done = service.get(address).json()
    assert done["status"] == "COMPLETE", done["message"]
    counts = service.step(done, "nothing")["runs"]
    assert (counts["total"], counts["complete"], counts["running"]) == (1000, 1000, 0)
    assert service.results(done)["count_cards_count"] == b"1000\n"
    listed = runs(service, done, "nothing", limit=300)
    assert [run["item"] for run in listed] == list(range(1, 1001))
    assert [run["name"] for run in (listed[0], listed[-1])] == ["0001-card-00001", "1000-card-01000"]
    assert {run["attempt"] for run in listed} == {1}, "nothing was run twice"


def test_a_step_of_a_thousand_items_is_cancelled_cleanly(live: LiveSystem, service: Service) -> None:
    given = service.submit("wide_and_long", json={"parameters": {"deal_count": 1000}})
    address = given["links"]["self"]

    def step() -> dict[str, Any]:
        return service.step(service.get(address).json(), "wait_long")

    until(lambda: step()["runs"]["running"] == 3, "as many items to run as may")
    assert len(runs(service, given, "wait_long", status="PENDING")) == 997
    cancelled = service.http.post(given["links"]["cancel"]).json()
    counts = service.step(cancelled, "wait_long")["runs"]
    assert (counts["total"], counts["complete"], counts["failed"]) == (1000, 0, 0)
    done = service.finished(given)
    assert (done["status"], statuses(done)) == (
        "CANCELLED",
        {"deal": "COMPLETE", "wait_long": "CANCELLED", "count_cards": "CANCELLED"},
    )
    assert {run["status"] for run in runs(service, done, "wait_long", limit=1000)} == {"CANCELLED"}
    until(lambda: not [each for each in processes_of(live.data) if "sleep" in each.name()], "all commands to be gone")
    assert service.http.delete(address).status_code == 204


def test_a_failed_item_fails_the_step_and_a_new_start_runs_only_what_is_left(service: Service, tmp_path: Path) -> None:
    (tmp_path / "bad-3").touch()
    failed = service.run("mended_items", json={"parameters": {"place": str(tmp_path), "count": 5}})
    assert (failed["status"], failed["cause"]) == ("ERROR", "exit")
    assert failed["message"] == "Step 'mendable' failed with exit code 1. (item 3-card-00003)"
    found = [run["status"] for run in runs(service, failed, "mendable")]
    assert found == ["COMPLETE", "COMPLETE", "ERROR", "CANCELLED", "CANCELLED"]
    assert [each["file"] for each in failed["results"] if each["step"] == "mendable"] == [
        "1-card-00001/good.txt", "2-card-00002/good.txt",
    ]  # fmt: skip
    (tmp_path / "mended").touch()
    assert service.http.post(f"/api/v1/submissions/{failed['id']}/retry").status_code == 202
    done = service.finished(failed)
    assert done["status"] == "COMPLETE", done["message"]
    assert (tmp_path / "tried").read_text().split() == ["1", "2", "3", "3", "4", "5"]
    assert service.results(done)["count_cards_count"] == b"5\n"


def test_where_items_may_fail_the_others_go_on(service: Service, tmp_path: Path) -> None:
    (tmp_path / "bad-2").touch()
    done = service.run("good_items", json={"parameters": {"place": str(tmp_path), "count": 3}})
    assert done["status"] == "COMPLETE", done["message"]
    step = service.step(done, "mendable")
    message = "1 of 3 item failed. The first: Step 'mendable' failed with exit code 1. (item 2-card-00002)"
    assert (step["status"], step["message"]) == ("COMPLETE", message)
    assert (step["runs"]["complete"], step["runs"]["failed"]) == (2, 1)
    assert service.results(done)["join_all"] == b"1\n3\n"
    (bad,) = runs(service, done, "mendable", status="ERROR")
    assert (bad["item"], bad["cause"], bad["exit_code"]) == (2, "exit", 1)


def test_where_all_items_fail_the_submission_has_failed(service: Service, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"bad-{number}").touch()
    done = service.run("good_items", json={"parameters": {"place": str(tmp_path), "count": 2}})
    assert done["status"] == "ERROR"
    assert done["message"].startswith("All 2 items of step 'mendable' failed. The first: ")


def test_an_item_that_stops_ends_the_job_well(service: Service, tmp_path: Path) -> None:
    (tmp_path / "stop-2").touch()
    done = service.run("good_items", json={"parameters": {"place": str(tmp_path), "count": 4}})
    assert (done["status"], done["stopped"]["step"]) == ("COMPLETE", "mendable")
    assert statuses(done)["join"] == "SKIPPED"
    assert [run["status"] for run in runs(service, done, "mendable")] == ["COMPLETE", "COMPLETE", "SKIPPED", "SKIPPED"]


@pytest.mark.parametrize(
    ("text", "loud", "told"),
    [("wanted\nother\nwanted\n", "true", True), ("other\n", "true", False), ("wanted\n", "false", False)],
)
def test_a_condition_decides_whether_a_step_runs(service: Service, text: str, loud: str, told: bool) -> None:
    done = service.run("conditional", files={"text": text}, data={"loud": loud})
    assert done["status"] == "COMPLETE", done["message"]
    ran = "COMPLETE" if told else "SKIPPED"
    assert statuses(done) == {"look": "COMPLETE", "tell": ran, "frame": ran, "conclude_all": "COMPLETE"}
    assert service.results(done)["conclude_all_end"] == (b"framed\n" if told else b"\n")
    if not told:
        assert service.step(done, "tell")["message"] == "Step 'tell' was skipped: its condition does not hold."
        assert (
            service.step(done, "frame")["message"] == "Step 'frame' was skipped: there is nothing for its input 'told'."
        )


EXAMPLES = """\
format: 1
pipeline: tried
tasks:
  shout:
    inputs: {word: word.txt}
    outputs: {loud: loud.txt}
    script: |
      tr a-z A-Z < "$input_word" > "$output_loud"
  join: {inputs: {words: {file: words, many: true}}, outputs: {all: all.txt}, command: "cat {input.words}", stdout: all}
jobs:
  shouted:
    runnable: true
    inputs: {word: {many: true}}
    parameters: {joined: {type: boolean, default: true}}
    steps: [{task: shout, scatter: word}, {task: join, inputs: {words: shout.loud}, when: param.joined}]
    examples:
      - {title: All, inputs: {word: [b.txt, a.txt]}, expect: {results: {join_all: {contains: "BA"}, shout_loud: {}}}}
      - {title: Apart, inputs: {word: [a.txt]}, parameters: {joined: false}, expect: {results: [shout_loud]}}
"""


def test_examples_are_run_with_both(tmp_path: Path) -> None:
    (tmp_path / "tried.yaml").write_text(EXAMPLES)
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name)
    done = aa(tmp_path / "data", "test", tmp_path / "tried.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
