"""One file against all validators of its input, within one time bound."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

from analytics_automated.pipelines.quantities import format_duration
from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, TooSlow, Validator, could_not_check

logger = logging.getLogger(__name__)


def check_file(
    validators: Sequence[Validator[Any]],
    open_file: Callable[[], IO[bytes]],
    *,
    size: int,
    file_name: str,
    seconds: float,
) -> None:
    """Run the validators in their order, each on a file opened anew, until one refuses.

    `size` is in bytes; `seconds` bounds all validators together. Raises the first `Invalid`; `TooSlow` past
    the bound. A validator that breaks is logged with its traceback and raises `Invalid`, too: what could
    not be checked is not let in, and the caller learns the validator's name and nothing else. It breaks by
    whatever it raises, `SystemExit` and other kinds of BaseException among them, as a plug-in must end no
    service; only `KeyboardInterrupt` is the operator's. Failures to open the file pass through.
    """
    deadline = time.monotonic() + seconds
    for validator in validators:
        with open_file() as raw:
            stream = CheckedStream(raw, size=size, seconds=deadline - time.monotonic(), file_name=file_name)
            try:
                stream.seconds_left()
                validator.check(stream)
            except (Invalid, KeyboardInterrupt):
                raise
            except TooSlow:
                raise TooSlow(f"The file could not be checked within {format_duration(seconds)}.") from None
            except BaseException:  # argparse exits, and libraries in Rust raise a BaseException
                logger.exception("validator broke", extra={"validator": validator.name, "size": size})
                raise could_not_check(validator.name) from None
