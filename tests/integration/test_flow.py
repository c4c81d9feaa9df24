"""How files flow into steps, between them, and out of them."""

import hashlib
from pathlib import Path

from integration.live import Service


def test_a_glob_gathers_all_and_the_next_step_gets_all(service: Service) -> None:
    done = service.run("pieces", files={"lines": "first\nsecond\nthird\n"})
    assert done["status"] == "COMPLETE", done["message"]
    assert service.results(done) == {
        "cut_pieces/piece-00.txt": b"first\n",
        "cut_pieces/piece-01.txt": b"second\n",
        "cut_pieces/piece-02.txt": b"third\n",
        "number_numbered": b"     1\tfirst\n     2\tsecond\n     3\tthird\n",
    }


def test_what_is_not_published_is_passed_on_but_not_shown(service: Service) -> None:
    done = service.run("pieces", files={"lines": "only\n"})
    assert "reverse_pieces_reversed" not in {result["name"] for result in done["results"]}
    assert service.http.get(f"{done['links']['results']}/reverse_pieces_reversed").status_code == 404
    assert "reverse_pieces_reversed" not in service.get("/api/v1/jobs/pieces").text


def test_an_optional_output_that_is_not_there_is_no_fault(service: Service) -> None:
    done = service.run("pieces", files={"lines": "only\n"})
    assert done["status"] == "COMPLETE"
    assert {result["output"] for result in done["results"]} == {"pieces", "numbered"}


def test_many_files_keep_their_names_and_order(service: Service) -> None:
    sent = [("files", ("b.txt", b"B")), ("files", ("a b.txt", b"A")), ("files", ("sub/c.txt", b"C"))]
    done = service.run("digests", files=sent)
    assert done["status"] == "COMPLETE", done["message"]
    sums = service.results(done)["digests_sums"].decode().splitlines()
    assert sums == [
        f"{hashlib.sha256(content).hexdigest()}  sent/{name}"
        for name, content in [("b.txt", b"B"), ("a b.txt", b"A"), ("c.txt", b"C")]
    ]


def test_files_of_one_name_are_all_there(service: Service) -> None:
    sent = [("files", ("same.txt", b"1")), ("files", ("same.txt", b"2")), ("files", ("2-same.txt", b"3"))]
    done = service.run("digests", files=sent)
    assert done["status"] == "COMPLETE", done["message"]
    lines = service.results(done)["digests_sums"].decode().splitlines()
    sums, names = zip(*(line.split() for line in lines), strict=True)
    assert list(sums) == [hashlib.sha256(content).hexdigest() for content in (b"1", b"2", b"3")]
    assert len(set(names)) == 3


def test_each_of_many_sent_files_can_be_fetched(service: Service) -> None:
    done = service.run("digests", json={"inputs": {"files": ["one", {"text": "two", "file_name": "two.txt"}]}})
    assert [service.get(each["url"]).text for each in done["inputs"]] == ["one", "two"]


def test_an_absent_optional_input_leaves_no_word_on_the_command_line(service: Service) -> None:
    without = service.run("optional_guide", files={"query": "Q"})
    assert service.results(without) == {"words_of_options_words": b"query.txt\n"}
    given = service.run("optional_guide", files={"query": "Q", "guide": "G"})
    assert service.results(given) == {"words_of_options_words": b"query.txt\n--guide\nguide.txt\n"}


def test_standard_streams_are_files(service: Service) -> None:
    done = service.run("streams", files={"text": "quietly"})
    assert service.results(done) == {"streams_shouted": b"QUIETLY", "streams_remarks": b"7 characters\n"}


def test_steps_of_one_ordering_run_side_by_side(service: Service, tmp_path: Path) -> None:
    """Each of the two ends well only when it has met the other while both run."""
    done = service.run("meeting", files={"text": "x"}, data={"place": str(tmp_path)})
    assert done["status"] == "COMPLETE", done["message"]
    first, second, tell = (service.step(done, name) for name in ("first", "second", "tell"))
    assert max(first["started"], second["started"]) <= min(first["finished"], second["finished"])
    assert tell["started"] >= max(first["finished"], second["finished"])


def test_results_have_the_names_that_the_job_gives_them(service: Service, tmp_path: Path) -> None:
    done = service.run("meeting", files={"text": "x"}, data={"place": str(tmp_path)})
    assert service.results(done) == {
        "story": b"first met second\nsecond met first\n",
        "first": b"first met second\n",
    }
    shown = {result["name"]: result for result in service.get("/api/v1/jobs/meeting").json()["results"]}
    assert shown["story"]["title"] == "How they met"
    assert (shown["first"]["step"], shown["first"]["output"]) == ("first", "met")
