"""What a validator is, the stream it reads, and what it says of bad data."""

import codecs
import io
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import IO, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Base of a validator's typed options. Every field has a description; unknown options are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Invalid(Exception):
    """The data is not what it should be: says what is wrong, and where.

    `message` is one sentence for the caller, without the position. `line` counts from 1; `column` counts
    the line's characters from 1; `record` names a record (a FASTA header). Values quoted from the data must
    be short: use `excerpt`.
    """

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None, record: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.record = record

    def __str__(self) -> str:
        places = []
        if self.line is not None:
            places.append(f"line {self.line}")
        if self.column is not None:
            places.append(f"column {self.column}")
        if self.record is not None:
            places.append(f"record {excerpt(self.record)}")
        return f"{self.message.removesuffix('.')} ({', '.join(places)})." if places else self.message


def could_not_check(validator: str) -> Invalid:
    """What a caller reads where the validator of that name fails, or cannot be had."""
    return Invalid(
        f"The file could not be checked: the validator {validator!r} failed. "
        "This is a fault of the service, not of the file."
    )


def too_much_memory(pattern: str) -> Invalid:
    """What a caller reads where matching needs more memory than there is."""
    return Invalid(f"The text takes too much memory to be matched with the pattern {excerpt(pattern, 100)}.")


class TooSlow(Exception):
    """The data could not be checked within the time bound."""

    def __init__(self, message: str = "The file could not be checked within the time allowed for it.") -> None:
        super().__init__(message)


def excerpt(text: str, length: int = 40) -> str:
    """The text in quotes, printable, cut to `length` characters."""
    shown = text if len(text) <= length else text[: length - 3] + "..."
    return "'" + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown) + "'"


class Position:
    """A place in a text that is read in pieces. Pieces end lines with LF alone.

    In bytes a column is a byte, in `str` a character; whoever wants characters passes over `str`.
    """

    __slots__ = ("column", "line")

    def __init__(self) -> None:
        self.line = 1
        self.column = 1

    def pass_over(self, piece: bytes | str) -> None:
        """Move behind the piece."""
        if isinstance(piece, bytes):
            endings, last = piece.count(b"\n"), piece.rfind(b"\n")
        else:
            endings, last = piece.count("\n"), piece.rfind("\n")
        self.line += endings
        self.column = len(piece) - last if endings else self.column + len(piece)


class CheckedStream(io.RawIOBase):
    """A user's file as validators see it: binary, read-only, read from the start, within a time bound.

    Every read raises `TooSlow` past the deadline; a validator that works long between two reads asks
    `seconds_left` itself. `size`, in bytes, is known beforehand. The stream never holds the whole file, and
    neither may a validator: read by `chunks`, `lf_chunks` or `text`, or by `lines`, which bounds the length
    of a line.
    """

    def __init__(self, raw: IO[bytes], *, size: int, seconds: float, file_name: str = "") -> None:
        super().__init__()
        self.size = size
        self.file_name = file_name
        self._raw = raw
        self._deadline = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Seconds until the deadline; raises `TooSlow` when none are left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        return left

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True: formats with an index at their end (images, archives) may move about."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; returns the new position."""
        self.seconds_left()
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        """The position, in bytes from the start."""
        return self._raw.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; less only at the end. `read` is built on it."""
        filled = 0
        while filled < len(buffer):
            self.seconds_left()
            # Raw files and sockets may give less than was asked for, which Pillow takes for the end.
            data = self._raw.read(len(buffer) - filled)
            if not data:
                break
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def chunks(self, size: int = 65_536) -> Iterator[bytes]:
        """The file from the present position on, in pieces of at most `size` bytes, none of them empty."""
        while data := self.read(size):
            yield data

    def lf_chunks(self, size: int = 65_536) -> Iterator[bytes]:
        """As `chunks`, with every line ending (LF, CRLF or CR) made LF."""
        ended_by_cr = False
        for chunk in self.chunks(size):
            # The LF of a CRLF that lies across two chunks belongs to the line that the CR ended.
            piece = chunk[1:] if ended_by_cr and chunk.startswith(b"\n") else chunk
            ended_by_cr = chunk.endswith(b"\r")
            if b"\r" in piece:
                piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if piece:
                yield piece

    def text(self, encoding: Literal["utf-8", "ascii"] = "utf-8", size: int = 65_536) -> Iterator[str]:
        """The file as text, in pieces, every line ending made LF.

        Raises `Invalid` at the first byte that the encoding does not have (UTF-8: RFC 3629). A byte order
        mark at the start is passed on as the character U+FEFF.
        """
        decoder = codecs.getincrementaldecoder(encoding)()
        position = Position()
        chunks = self.lf_chunks(size)
        more = True
        while more:
            chunk = next(chunks, b"")
            more = bool(chunk)
            bad: int | None = None
            try:
                piece = decoder.decode(chunk, final=not more)
            except UnicodeDecodeError as error:
                piece = error.object[: error.start].decode(encoding)
                bad = error.object[error.start]
            position.pass_over(piece)
            if piece:
                # Even before a bad byte: what stands there may have a fault that comes first.
                yield piece
            if bad is not None:
                name = {"utf-8": "UTF-8", "ascii": "ASCII"}[encoding]
                raise Invalid(
                    f"The file is not {name} text: it holds the byte 0x{bad:02X}.",
                    line=position.line,
                    column=position.column,
                )

    def lines(self, *, longest: int = 1_048_576) -> Iterator[tuple[int, str]]:
        """Number (from 1) and text of each line, without its ending (LF, CRLF or CR), decoded from UTF-8.

        An ending at the very end of the file does not begin another line. Raises `Invalid` for a line of
        more than `longest` characters, and as `text` does.
        """
        number = 1
        begun: list[str] = []
        held = 0
        for piece in self.text():
            first, *others = piece.split("\n")
            begun.append(first)
            held += len(first)
            if others:
                rest = others.pop()
                for line in ("".join(begun), *others):
                    if len(line) > longest:
                        raise _too_long(longest, number)
                    yield number, line
                    number += 1
                begun, held = [rest], len(rest)
            if held > longest:
                raise _too_long(longest, number)
        if held:
            yield number, "".join(begun)


def _too_long(longest: int, line: int) -> Invalid:
    return Invalid(f"A line is longer than {longest} characters.", line=line)


OptionsT = TypeVar("OptionsT", bound=Options)


class Validator(ABC, Generic[OptionsT]):
    """A named check of data. Made once per use in a configuration, used for many files, from many threads."""

    name: ClassVar[str]
    """The name in configurations: that of the entry point."""

    Options: ClassVar[type[Options]] = Options
    """The model of this validator's options."""

    def __init__(self, options: OptionsT) -> None:
        self.options = options

    @abstractmethod
    def check(self, stream: CheckedStream) -> None:
        """Read the stream; return when it is good, raise `Invalid` when it is not."""
