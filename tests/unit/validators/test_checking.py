"""A file goes through all its validators within one time bound, and their failures stay inside."""

import io
import logging
import time
from collections.abc import Callable

import pytest

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Options, TooSlow, Validator
from analytics_automated.pipelines.validators.checking import check_file
from analytics_automated.pipelines.validators.registry import build_validator


class Acting(Validator[Options]):
    """Does what the test wants with the stream."""

    name = "acting"

    def __init__(self, act: Callable[[CheckedStream], object]) -> None:
        super().__init__(Options())
        self.act = act

    def check(self, stream: CheckedStream) -> None:
        self.act(stream)


def check(*acts: Callable[[CheckedStream], object], data: bytes = b"some data", seconds: float = 60) -> None:
    validators = [Acting(act) for act in acts]
    check_file(validators, lambda: io.BytesIO(data), size=len(data), file_name="some.txt", seconds=seconds)


def _go_on(_: CheckedStream) -> None:
    pytest.fail("a validator ran that should not have run")


def test_every_validator_reads_the_file_from_its_start():
    seen = []
    check(*[lambda stream: seen.append((stream.read(), stream.size, stream.file_name))] * 3)
    assert seen == [(b"some data", 9, "some.txt")] * 3


def test_files_are_closed_again():
    opened = []

    def open_file() -> io.BytesIO:
        opened.append(io.BytesIO(b"some data"))
        return opened[-1]

    def refuse(stream: CheckedStream) -> None:
        raise Invalid("No.")

    with pytest.raises(Invalid):
        check_file([Acting(CheckedStream.read), Acting(refuse)], open_file, size=9, file_name="some.txt", seconds=60)
    assert [file.closed for file in opened] == [True, True]


def test_the_first_refusal_is_raised_and_ends_the_check():
    def refuse(stream: CheckedStream) -> None:
        raise Invalid("It is wrong.", line=3, column=4, record="x")

    with pytest.raises(Invalid) as caught:
        check(CheckedStream.read, refuse, _go_on)
    assert str(caught.value) == "It is wrong (line 3, column 4, record 'x')."


def test_real_validators_work_together():
    validators = [
        build_validator("size", {"max": "1KB"}),
        build_validator("fasta", {"alphabet": "nucleotide"}),
    ]
    with pytest.raises(Invalid, match="'!' is not a nucleotide code"):
        check_file(validators, lambda: io.BytesIO(b">x\nAC!"), size=6, file_name="x.fasta", seconds=60)
    check_file(validators, lambda: io.BytesIO(b">x\nACG"), size=6, file_name="x.fasta", seconds=60)


def test_all_validators_share_one_time_bound():
    left = []

    def look(stream: CheckedStream) -> None:
        left.append(stream.seconds_left())
        time.sleep(0.01)

    check(look, look, look)
    assert 60 > left[0] > left[1] > left[2]
    assert left[0] - left[2] >= 0.02


def test_a_validator_that_exceeds_the_bound_is_too_slow():
    def read_for_ever(stream: CheckedStream) -> None:
        while True:
            stream.seek(0)
            stream.read(1)

    with pytest.raises(TooSlow, match=r"^The file could not be checked within 0\.05s\.$"):
        check(read_for_ever, seconds=0.05)


def test_when_no_time_is_left_even_a_validator_that_reads_nothing_is_not_run():
    with pytest.raises(TooSlow):
        check(lambda _: time.sleep(0.02), _go_on, seconds=0.01)


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError("/secret/path"),
        RecursionError(),
        MemoryError(),
        OSError("/secret/disk"),
        SystemExit("/secret/exit"),
        GeneratorExit(),
        type("PanicException", (BaseException,), {})("/secret/panic"),  # what libraries in Rust raise
    ],
)
def test_a_validator_that_breaks_refuses_the_file_and_tells_only_the_log(caplog, fault):
    def break_down(stream: CheckedStream) -> None:
        raise fault

    with caplog.at_level(logging.ERROR), pytest.raises(Invalid) as caught:
        check(break_down)
    assert str(caught.value) == (
        "The file could not be checked: the validator 'acting' failed. This is a fault of the service, not of the file."
    )
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is fault
    assert record.validator == "acting"


def test_a_validator_that_really_runs_out_of_stack_or_memory_refuses_the_file(caplog):
    def go_down(stream: CheckedStream) -> None:
        go_down(stream)

    for use in (go_down, lambda _: bytearray(2**62)):
        with pytest.raises(Invalid, match="This is a fault of the service"):
            check(use)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [RecursionError, MemoryError]


def test_an_operator_who_interrupts_is_obeyed():
    def interrupt(stream: CheckedStream) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(interrupt)


def test_a_file_that_cannot_be_opened_is_no_verdict_on_it():
    def open_file() -> io.BytesIO:
        raise FileNotFoundError("gone")

    with pytest.raises(FileNotFoundError):
        check_file([Acting(CheckedStream.read)], open_file, size=9, file_name="some.txt", seconds=60)


def test_no_validators_let_everything_pass():
    check()
