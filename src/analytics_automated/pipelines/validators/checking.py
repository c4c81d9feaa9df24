"""One file against all validators of its input, within one time bound."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

from analytics_automated.pipelines.quantities import format_duration
from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, TooSlow, Validator

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
    not be checked is not let in, and the caller learns the validator's name and nothing else. Failures to
    open the file pass through.
    """
    deadline = time.monotonic() + seconds
    for validator in validators:
        with open_file() as raw:
            stream = CheckedStream(raw, size=size, seconds=deadline - time.monotonic(), file_name=file_name)
            try:
                stream.seconds_left()
                validator.check(stream)
            except Invalid:
                raise
            except TooSlow:
                raise TooSlow(f"The file could not be checked within {format_duration(seconds)}.") from None
            except Exception:
                logger.exception("validator broke", extra={"validator": validator.name, "size": size})
                raise Invalid(
                    f"The file could not be checked: the validator {validator.name!r} failed. "
                    "This is a fault of the service, not of the file."
                ) from None
