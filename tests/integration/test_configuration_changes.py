"""Configuration that changes while submissions run, and while `aa up` does."""

from pathlib import Path

from integration.live import Service, aa, apply, until

PIPELINE = """\
format: 1
pipeline: changing
backends: {{changing_ground: {{sandbox: "off"}}}}  # its commands meet the tests outside
tasks:
  wait:
    backend: changing_ground
    inputs: {{text: text.txt}}
    outputs: {{waited: waited.txt}}
    parameters:
      place: {{type: string}}
      word: {{type: string, default: {word}}}
    script: |
      touch "$param_place/$submission_id"
      until [ -e "$param_place/go" ]; do sleep 0.02; done
      echo "{word} wait: $param_word" > "$output_waited"
  end:
    inputs: {{waited: waited.txt}}
    outputs: {{ended: ended.txt}}
    environment: {{WORD: {word}}}
    script: |
      {{ cat "$input_waited"; echo "{word} end: $WORD"; }} > "$output_ended"
jobs:
  changing:
    version: {word}
    runnable: true
    steps: [{{task: wait}}, {{task: end}}]
    results: {{{word}: end.ended}}
"""


def written(folder: Path, word: str) -> Path:
    path = folder / f"{word}.yaml"
    path.write_text(PIPELINE.format(word=word))
    return path


def test_a_change_does_not_touch_what_was_submitted(service: Service, data: Path, tmp_path: Path) -> None:
    """More submissions than the worker has slots: some run while the configuration changes, the others wait."""
    apply(data, written(tmp_path, "old"))
    old_definition = service.get("/api/v1/jobs/changing").json()["definition"]
    place = {"wait_place": str(tmp_path)}
    given = [service.submit("changing", files={"text": "T"}, data=place) for _ in range(6)]
    until(lambda: sum((tmp_path / each["id"]).exists() for each in given) == 4, "four running steps")

    assert "changed  task wait" in apply(data, written(tmp_path, "new"))
    states = [service.get(each["links"]["self"]).json()["steps"][0]["status"] for each in given]
    assert sorted(states) == ["QUEUED"] * 2 + ["RUNNING"] * 4
    later = service.submit("changing", files={"text": "T"}, data=place)
    (tmp_path / "go").touch()

    for submission in given:
        done = service.finished(submission)
        assert done["status"] == "COMPLETE"
        assert (done["definition"], done["job_version"]) == (old_definition, "old")
        assert done["parameters"]["wait_word"] == "old"
        assert service.results(done) == {"old": b"old wait: old\nold end: old\n"}
    done = service.finished(later)
    assert done["definition"] == service.get("/api/v1/jobs/changing").json()["definition"] != old_definition
    assert service.results(done) == {"new": b"new wait: new\nnew end: new\n"}


def test_a_wrong_file_changes_nothing(service: Service, data: Path, tmp_path: Path) -> None:
    before = service.get("/api/v1/jobs/noop").json()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "format: 1\npipeline: noop\n"
        "tasks:\n  copy: {inputs: {data: in.txt}, outputs: {copied: o.txt}, command: 'cp {input.data} {output.no}'}\n"
        "jobs:\n  noop: {titel: Misspelt, runnable: true, steps: [{task: copy}]}\n"
    )
    done = aa(data, "apply", wrong)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    for line in (f"{wrong}:4: tasks.copy.command", f"{wrong}:6: jobs.noop.titel"):
        assert line in done.stderr, "all errors come at once, each with its place"
    assert service.get("/api/v1/jobs/noop").json() == before


def test_the_queue_of_a_new_backend_is_served_at_once(service: Service, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "late.yaml"
    path.write_text(
        "format: 1\npipeline: late\n"
        "backends:\n  late: {executor: local, queue: evenings}\n"
        "tasks:\n  late:\n    backend: late\n    inputs: {text: in.txt}\n"
        "    outputs: {copied: out.txt}\n    command: cp {input.text} {output.copied}\n"
        "jobs:\n  late: {runnable: true, steps: [{task: late}]}\n"
    )
    apply(data, path)
    done = service.run("late", files={"text": "T"})
    assert done["status"] == "COMPLETE"
    assert service.step(done, "late")["backend"] == "late"
