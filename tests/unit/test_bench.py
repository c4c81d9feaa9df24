"""The benchmark's own arithmetic, and how it reads what it is told."""

from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from bench import wrk
from bench.figures import Figure, Findings, Rate, Times, rate_figure
from bench.parts import PARTS, chosen
from bench.processes import BenchmarkError
from bench.report import as_document, bounds_table

WRK = """\
Running 4s test @ http://127.0.0.1:1/api/v1/submissions/1
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    66.12ms   35.50ms 253.33ms   71.43%
  484 requests in 4.01s, 1.02MB read
Requests/sec:    120.77
"""


@pytest.mark.parametrize(
    ("value", "at_least", "aim", "verdict"),
    [
        (4.0, 5, 4, "held, and the aim too"),
        (5.0, 5, 4, "held"),
        (5.01, 5, 4, "NOT HELD"),
        (0.4, 0.25, 0.4, "held, and the aim too"),
        (0.25, 0.25, 0.4, "held"),
        (0.24, 0.25, 0.4, "NOT HELD"),
    ],
)
def test_what_has_the_lower_aim_is_to_be_small(value: float, at_least: float, aim: float, verdict: str) -> None:
    assert Figure("it", value, "times", at_least=at_least, aim=aim).verdict == verdict


def test_a_figure_without_bounds_has_no_verdict() -> None:
    assert Figure("it", 3, "ms").verdict == ""


def test_percentiles_are_tries() -> None:
    times = Times([float(number) for number in range(1, 21)])
    assert (times.p10, times.median, times.p95) == (2, 10.5, 19)


def test_the_rate_of_several_runs_is_their_median() -> None:
    figure = rate_figure("it", [Rate(100, 1.0), Rate(100, 4.0), Rate(100, 2.0)])
    assert (figure.value, figure.detail) == (50, "runs: 100, 25, 50")


def test_wrk_tells_the_rate_and_the_statuses() -> None:
    seen = wrk.read(f'{WRK}statuses {{"200": 483, "503": 1}}\n')
    assert seen.rate == Rate(484, 4.01)
    assert seen.statuses == {"200": 483, "503": 1}


@pytest.mark.parametrize("text", ["", WRK, f'{WRK}  Socket errors: connect 8\nstatuses {{"200": 484}}\n'])
def test_without_a_good_measurement_there_is_no_rate(text: str) -> None:
    with pytest.raises(BenchmarkError):
        wrk.read(text)


def test_without_wrk_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BenchmarkError, match="apt-get install wrk"):
        wrk.load(urlsplit("http://127.0.0.1:1"), "/", seconds=1, kind="get", expected=HTTPStatus.OK)


def test_parts_are_chosen_by_name_and_measured_in_their_own_order() -> None:
    assert [part.name for part in chosen("scatter, polls")] == ["polls", "scatter"]
    assert chosen("") == list(PARTS)
    with pytest.raises(ValueError, match="no part pols; there are latency,"):
        chosen("pols")


def test_the_document_says_what_is_not_held() -> None:
    run = {part.name: Findings(others=[Figure("seen", 1, "s")]) for part in PARTS}
    run["polls"] = Findings([Figure("polls per second", 110, "/s", 0, "", 2000, 3000)])
    assert "| polls per second |   110 /s | 2,000 /s | 3,000 /s | NOT HELD |" in bounds_table(run)
    document = as_document(run, PARTS, [("processors", "2")], date="2026-01-01", source="abc", seconds=200)
    assert document.startswith("# What A_A costs\n")
    for part in PARTS:
        assert f"### {part.name}\n{part.method}" in document
