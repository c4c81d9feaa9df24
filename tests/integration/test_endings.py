"""All the ways in which a step can end, what follows from each, and what a caller learns of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from integration.live import LiveSystem, Service, alive, until


def everything_shown(service: Service, submission: dict[str, Any]) -> str:
    """All that a caller can learn of a submission, but for the bytes of results."""
    links = submission["links"]
    texts = [json.dumps(submission), *(service.get(links[name]).text for name in ("self", "events", "results"))]
    return "\n".join(texts)


def statuses(submission: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["status"] for step in submission["steps"]}


@pytest.mark.parametrize("code", [0, 2, 4])
def test_exit_codes_that_continue(service: Service, code: int) -> None:
    done = service.run("exits", files={"text": "T"}, data={"code": str(code)})
    assert done["status"] == "COMPLETE"
    assert statuses(done) == {"exits": "COMPLETE", "conclude": "COMPLETE"}
    assert service.step(done, "exits")["exit_code"] == code
    assert done["stopped"] is None
    assert service.results(done) == {"exits_part": b"T", "conclude_concluded": b"T"}


def test_an_exit_code_that_continues_may_have_a_message(service: Service) -> None:
    done = service.run("exits", files={"text": "T"}, data={"code": "4"})
    assert service.step(done, "exits")["message"] == "A little less."


def test_an_exit_code_that_stops_ends_the_job_well(service: Service) -> None:
    done = service.run("exits", files={"text": "T"}, data={"code": "3"})
    assert done["status"] == "COMPLETE"
    assert statuses(done) == {"exits": "COMPLETE", "conclude": "SKIPPED"}
    assert done["stopped"] == {"step": "exits", "message": "No homologue was found."}
    assert done["message"] == "No homologue was found."
    assert service.results(done) == {"exits_part": b"T"}, "outputs that exist are gathered"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (1, "Step 'exits' failed with exit code 1."),
        (65, "The data is wrong."),
        (78, "Step 'exits' failed with exit code 78."),
        (255, "Step 'exits' failed with exit code 255."),
    ],
)
def test_exit_codes_that_fail(service: Service, code: int, message: str) -> None:
    done = service.run("exits", files={"text": "T"}, data={"code": str(code)})
    assert (done["status"], done["cause"], done["message"]) == ("ERROR", "exit", message)
    assert statuses(done) == {"exits": "ERROR", "conclude": "CANCELLED"}
    assert service.step(done, "exits")["exit_code"] == code
    assert done["results"] == []


def test_a_missing_output_fails_the_step(service: Service) -> None:
    done = service.run("missing_fails", files={"text": "T"})
    assert (done["status"], done["cause"]) == ("ERROR", "missing_output")
    assert done["message"] == "Step 'makes_nothing' did not make its output 'made'."
    assert done["results"] == []


def test_a_missing_output_may_stop_the_job(service: Service) -> None:
    done = service.run("missing_stops", files={"text": "T"})
    assert done["status"] == "COMPLETE"
    assert done["stopped"]["step"] == "makes_nothing_and_stops"
    assert "'made'" in done["stopped"]["message"]
    assert statuses(done)["conclude"] == "SKIPPED"
    assert service.results(done) == {"makes_nothing_and_stops_also": b"T"}


def test_a_missing_output_may_be_passed_over(service: Service) -> None:
    done = service.run("missing_goes_on", files={"text": "T"})
    assert done["status"] == "COMPLETE"
    assert statuses(done) == {
        "makes_nothing_and_goes_on": "COMPLETE",
        "takes_what_was_made": "SKIPPED",
        "conclude": "COMPLETE",
    }
    assert "'made'" in service.step(done, "takes_what_was_made")["message"]


def test_two_files_for_an_output_that_is_one_are_a_fault(service: Service) -> None:
    done = service.run("two_of_one", files={"text": "T"})
    assert done["status"] == "ERROR"
    assert "The output 'one' is one file, but 2 match." in done["message"]


def test_a_link_that_leads_out_is_not_gathered(service: Service) -> None:
    done = service.run("links_out", files={"text": "T"})
    assert done["status"] == "ERROR"
    assert "The output 'link' is a link that leads out of the work folder." in done["message"]
    assert done["results"] == []


def test_a_time_limit_ends_the_whole_process_tree(service: Service, tmp_path: Path) -> None:
    """None of the three heeds SIGTERM, and one has left the session and closed its streams."""
    given = service.submit("spreads_out", files={"text": "T"}, data={"spreads_out_place": str(tmp_path)})
    names = ("parent", "child", "daemon")
    until(lambda: all((tmp_path / name).exists() for name in names), "three processes")
    done = service.finished(given)
    assert (done["status"], done["cause"]) == ("ERROR", "timeout")
    assert done["message"] == "Step 'spreads_out' ran longer than its time limit of 2s."
    assert [name for name in names if alive(int((tmp_path / name).read_text()))] == []


def test_a_signal_is_named(service: Service) -> None:
    done = service.run("is_killed", files={"text": "T"})
    assert (done["status"], done["cause"]) == ("ERROR", "signal")
    assert done["message"] == "Step 'is_killed' was ended by the signal SIGSEGV."


def test_a_missing_program_is_told_without_its_name(service: Service, live: LiveSystem) -> None:
    done = service.run("is_missing", files={"text": "T"})
    assert done["status"] == "ERROR"
    assert done["message"] == "Step 'is_missing' failed with exit code 127."
    shown = everything_shown(service, done)
    for inside in ("no-such-program", "hidden-place", "hunter2", "--password", str(live.data), "PATH"):
        assert inside not in shown


def test_what_a_failing_command_says_stays_with_the_operator(service: Service, live: LiveSystem) -> None:
    done = service.run("fails_late", files={"text": "T"})
    assert done["status"] == "ERROR"
    assert done["message"] == "Step 'talks_too_much' failed with exit code 9."
    shown = everything_shown(service, done)
    inside = ("hunter2", "postgres", "database.internal", str(live.data), "/work", "bash", "pipefail", "DATABASE")
    assert [each for each in inside if each in shown] == []


def test_results_of_steps_that_were_complete_stay_after_an_error(service: Service) -> None:
    done = service.run("fails_late", files={"text": "T"})
    assert statuses(done) == {"prepare": "COMPLETE", "talks_too_much": "ERROR", "conclude": "CANCELLED"}
    assert service.results(done) == {"prepare_prepared": b"T"}


def test_the_log_has_one_line_per_transition_with_its_ids(service: Service, live: LiveSystem) -> None:
    done = service.run("fails_late", files={"text": "T"})
    events = service.get(done["links"]["events"]).json()["events"]

    def lines() -> list[str]:
        found = [line for line in live.log.read_text().splitlines() if f"submission={done['id']}" in line]
        return found if len(found) >= len(events) else []

    logged = until(lines, "the log's lines")
    assert len(logged) == len(events)
    assert any("step COMPLETE" in line and "step=prepare" in line and "attempt=1" in line for line in logged)
    assert any("submission ERROR" in line for line in logged)
