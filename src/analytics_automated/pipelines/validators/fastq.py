"""Sequencing reads in FASTQ format."""

import re
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Options, Validator, excerpt
from analytics_automated.pipelines.validators.fasta import NUCLEOTIDE

LONGEST_LINE: Final = 16_777_216
"""Bytes of a line, at most. The longest reads known have some four million bases."""

_ALPHABETS: Final = {"nucleotide": (NUCLEOTIDE, "a nucleotide code"), "acgtn": (b"ACGTN", "one of A, C, G, T and N")}

_ENCODINGS: Final = {"phred33": range(33, 127), "phred64": range(64, 127), "solexa": range(59, 127)}
"""The characters of qualities: table 1 of Cock et al. 2010, doi:10.1093/nar/gkp1137."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class FastqOptions(Options):
    """What is asked of the reads; all bounds are inclusive."""

    encoding: Literal["phred33", "phred64", "solexa"] = Field(
        "phred33",
        description=(
            "How qualities are written: `phred33` (Sanger, and Illumina since 1.8), `phred64` (Illumina 1.3 to 1.7) "
            "or `solexa`. Most qualities are characters of each, so that a file in another may pass."
        ),
    )
    alphabet: Literal["nucleotide", "acgtn"] = Field(
        "nucleotide",
        description="Symbols that reads may hold, in upper or lower case: IUPAC's nucleotide codes, or five of them.",
    )
    min_records: int = Field(1, ge=0, description="Fewest reads.")
    max_records: int | None = Field(None, ge=0, description="Most reads.")
    min_length: int = Field(1, ge=0, description="Length of the shortest read allowed.")
    max_length: int | None = Field(None, ge=0, description="Length of the longest read allowed.")

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.max_records is not None and self.min_records > self.max_records:
            raise ValueError(f"min_records ({self.min_records}) is more than max_records ({self.max_records})")
        if self.max_length is not None and self.min_length > self.max_length:
            raise ValueError(f"min_length ({self.min_length}) is more than max_length ({self.max_length})")
        return self


class FastqValidator(Validator[FastqOptions]):
    """Reads in FASTQ format, each of four lines: `@` and a title, the sequence, `+`, and the qualities.

    The format is that of Cock et al. 2010 (doi:10.1093/nar/gkp1137), without what it advises against and most
    programs cannot read: sequences and qualities that go on over several lines. There is one quality for each
    base. The title has a name, is UTF-8, and holds no control characters but tab; behind the `+` stands nothing,
    or the title again. Lines end in LF, CRLF or CR and have at most 16 MiB; blank ones are allowed at the end of
    the file. Names need not be unique.
    """

    name = "fastq"
    Options = FastqOptions

    def __init__(self, options: FastqOptions) -> None:
        super().__init__(options)
        symbols, self._kind = _ALPHABETS[options.alphabet]
        self._symbols = symbols + symbols.lower()
        self._qualities = bytes(_ENCODINGS[options.encoding])

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault."""
        reading = _Reading(self.options, self._symbols, self._kind, self._qualities)
        held: list[bytes] = []  # of a line that has not ended yet
        for chunk in stream.lf_chunks(262_144):
            first, *others = chunk.split(b"\n")
            held.append(first)
            if others:
                last = others.pop()
                reading.feed([b"".join(held), *others])
                held = [last]
            if sum(map(len, held)) > LONGEST_LINE:
                raise Invalid(f"A line is longer than {LONGEST_LINE} bytes.", line=reading.next_line)
        reading.finish(b"".join(held))


class _Reading:
    """How far one file has been read. Holds the lines of a record that is not yet whole, and no more."""

    def __init__(self, options: FastqOptions, symbols: bytes, kind: str, qualities: bytes) -> None:
        self._options = options
        self._symbols = symbols
        self._kind = kind
        self._qualities = qualities
        self._records = 0
        self._line = 1  # of the first of `_lines`
        self._lines: list[bytes] = []
        self._name = ""  # of the read that is looked at
        self._blank = False  # after a blank line that ended the records

    @property
    def next_line(self) -> int:
        return self._line + len(self._lines)

    def feed(self, lines: list[bytes]) -> None:
        lines = self._lines + lines
        whole = len(lines) - len(lines) % 4
        if not self._blank and self._are_plain(lines[:whole]):
            self._records += whole // 4
            self._line += whole
        else:
            for at in range(0, whole, 4):
                self._read(*lines[at : at + 4])
        self._lines = lines[whole:]

    def finish(self, last: bytes) -> None:
        lines = [*self._lines, last] if last else self._lines
        if not self._blank and len(lines) == 3 and not lines[1]:
            lines.append(b"")  # the qualities of an empty read, whose line does not end
        if len(lines) == 4:
            self._read(*lines)
        elif any(lines):
            if self._blank or not lines[0]:
                self._refuse_behind_blank(lines)
            self._check_title(lines[0])
            if len(lines) > 1:
                self._check_sequence(lines[1])
            if len(lines) > 2:
                self._check_plus(lines[2], lines[0])
            raise self._refusal("The last read is not whole: it has four lines.")
        if self._records < self._options.min_records:
            raise Invalid(
                f"The file has too few reads: {self._records}, where {self._options.min_records} are needed."
                if self._records
                else "The file has no read."
            )

    def _are_plain(self, lines: list[bytes]) -> bool:
        """Whether nothing is wrong with any of these records. Looking at each by itself takes ten times longer."""
        titles, sequences, pluses, qualities = (lines[at::4] for at in range(4))
        if not titles:
            return True
        options, lengths = self._options, [len(sequence) for sequence in sequences]
        header = b"\n".join(titles)
        return (
            lengths == [len(quality) for quality in qualities]
            and min(lengths) >= options.min_length
            and (options.max_length is None or max(lengths) <= options.max_length)
            and (options.max_records is None or self._records + len(titles) <= options.max_records)
            and not b"".join(sequences).translate(None, self._symbols)
            and not b"".join(qualities).translate(None, self._qualities)
            and header.isascii()
            and not _CONTROL.search(header.decode("ascii"))
            and all(title[:1] == b"@" and title[1:].strip() for title in titles)
            and all(
                plus == b"+" or (plus[:1] == b"+" and plus[1:] == title[1:])
                for plus, title in zip(pluses, titles, strict=True)
            )
        )

    def _read(self, title: bytes, sequence: bytes, plus: bytes, quality: bytes) -> None:
        if self._blank or not title:
            self._refuse_behind_blank([title, sequence, plus, quality])
            self._blank = True
            self._line += 4
            return
        self._check_title(title)
        self._check_sequence(sequence)
        self._check_plus(plus, title)
        self._check_quality(quality, len(sequence))
        self._check_bounds(len(sequence))
        self._line += 4

    def _refuse_behind_blank(self, lines: list[bytes]) -> None:
        for number, line in enumerate(lines, self._line):
            if line:
                message = "A blank line stands where a read is expected; they are allowed at the end of the file only."
                raise Invalid(message, line=number - 1)

    def _check_title(self, title: bytes) -> None:
        if not title.startswith(b"@"):
            message = f"A read begins with '@' and a title, not with {_shown(title[0])}."
            if self._records == 0 and title.startswith(b">"):
                message = "The file begins with '>': is it FASTA, which has no qualities?"
            elif self._records == 0 and title.startswith(b"\xef\xbb\xbf"):
                message = "The file begins with a byte order mark: save it as UTF-8 without one."
            raise Invalid(message, line=self._line)
        try:
            text = title.decode()
        except UnicodeDecodeError as error:
            message = f"A title is not UTF-8 text: it holds the byte 0x{title[error.start]:02X}."
            raise Invalid(message, line=self._line, column=len(title[: error.start].decode()) + 1) from None
        if control := _CONTROL.search(text):
            message = f"A title holds the control character U+{ord(control[0]):04X}."
            raise Invalid(message, line=self._line, column=control.start() + 1)
        words = text[1:].split(maxsplit=1)
        if not words:
            raise Invalid("A title has no name after its '@'.", line=self._line)
        self._name = words[0]

    def _check_sequence(self, sequence: bytes) -> None:
        if bad := sequence.translate(None, self._symbols):
            raise self._bad_character(sequence, bad[0], 1, f"is not {self._kind}")

    def _check_plus(self, plus: bytes, title: bytes) -> None:
        if not plus.startswith(b"+"):
            message = (
                "A '+' is expected below the sequence: a read has four lines, and neither its sequence nor its "
                "qualities go on in another line."
            )
            raise self._refusal(message, below=2)
        if plus != b"+" and plus[1:] != title[1:]:
            message = "Behind the '+' stands nothing, or the title again: what stands here is not the title."
            raise self._refusal(message, below=2)

    def _check_quality(self, quality: bytes, bases: int) -> None:
        if len(quality) != bases:
            message = f"A read has {bases} bases and {len(quality)} qualities; there is one for each base."
            raise self._refusal(message, below=3)
        if bad := quality.translate(None, self._qualities):
            raise self._bad_character(quality, bad[0], 3, f"is no quality of the encoding {self._options.encoding}")

    def _bad_character(self, line: bytes, byte: int, below: int, what: str) -> Invalid:
        return self._refusal(f"{_shown(byte)} {what}.", below=below, column=line.index(byte) + 1)

    def _check_bounds(self, length: int) -> None:
        options = self._options
        if length < options.min_length:
            raise self._refusal(f"A read has the length {length}, less than {options.min_length}.")
        if options.max_length is not None and length > options.max_length:
            raise self._refusal(f"A read is longer than {options.max_length}.")
        self._records += 1
        if options.max_records is not None and self._records > options.max_records:
            raise self._refusal(f"The file has more than {options.max_records} reads.")

    def _refusal(self, message: str, *, below: int = 0, column: int | None = None) -> Invalid:
        """A refusal of the record that is read, so many lines below its title."""
        return Invalid(message, line=self._line + below, column=column, record=self._name)


def _shown(byte: int) -> str:
    return excerpt(chr(byte)) if 0x20 < byte < 0x7F else f"The byte 0x{byte:02X}"
