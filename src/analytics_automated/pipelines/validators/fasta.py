"""Sequences in FASTA format."""

import re
from typing import Final, Literal, NoReturn, Self

from pydantic import Field, model_validator

from analytics_automated.pipelines.validators.base import (
    CheckedStream,
    Invalid,
    Options,
    Position,
    Validator,
    excerpt,
)

LONGEST_HEADER: Final = 1_048_576
"""Bytes of a header line, at most. NCBI's joined ones run to hundreds of thousands."""

PROTEIN: Final = b"ACDEFGHIKLMNPQRSTVWYBZJXUO*"
"""One-letter amino acid symbols of IUPAC-IUB JCBN, "Nomenclature and Symbolism for Amino Acids and Peptides",
Recommendations 1983: the 20, B (D or N), Z (E or Q) and X (any). Since then came U (selenocysteine),
O (pyrrolysine) and J (I or L). `*` is a translated stop codon."""

NUCLEOTIDE: Final = b"ACGTURYSWKMBDHVN"
"""Base symbols of NC-IUB, "Nomenclature for Incompletely Specified Bases in Nucleic Acid Sequences",
Recommendations 1984. T and U may occur together."""

GAPS: Final = b"-."

_ALPHABETS: Final = {
    "protein": (PROTEIN, "an amino acid code"),
    "nucleotide": (NUCLEOTIDE, "a nucleotide code"),
    "any": (bytes(set(PROTEIN) | set(NUCLEOTIDE)), "an amino acid or nucleotide code"),
}

_BLANKS: Final = b" \t"
_INNER_BLANK = re.compile(rb"[ \t][^ \t\n]")
# Tabs stand in real headers, and U+0001 joins the headers of NCBI's non-redundant databases.
_HEADER_CONTROL = re.compile(r"[\x00\x02-\x08\x0b-\x1f\x7f-\x9f]")


class FastaOptions(Options):
    """What is asked of the sequences; all bounds are inclusive. A length counts every symbol, gaps too."""

    alphabet: Literal["protein", "nucleotide", "any"] = Field(
        "any",
        description=(
            "Symbols that sequences may hold, in upper or lower case: the IUPAC-IUB codes of amino acids, "
            "with `*`, or of nucleotides. Ambiguity codes are among them."
        ),
    )
    min_sequences: int = Field(1, ge=0, description="Fewest sequences.")
    max_sequences: int | None = Field(None, ge=0, description="Most sequences.")
    min_length: int = Field(1, ge=1, description="Length of the shortest sequence allowed.")
    max_length: int | None = Field(None, ge=1, description="Length of the longest sequence allowed.")
    gaps: bool = Field(False, description="May sequences hold the gap symbols `-` and `.`? With `aligned` they may.")
    aligned: bool = Field(False, description="Must all sequences have one length, as in an alignment?")

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.max_sequences is not None and self.min_sequences > self.max_sequences:
            raise ValueError(f"min_sequences ({self.min_sequences}) is more than max_sequences ({self.max_sequences})")
        if self.max_length is not None and self.min_length > self.max_length:
            raise ValueError(f"min_length ({self.min_length}) is more than max_length ({self.max_length})")
        return self


class FastaValidator(Validator[FastaOptions]):
    """Sequences in FASTA format: header lines of `>` and a name, each followed by its sequence.

    Lines end in LF, CRLF or CR. Those of sequences may be of any length. Blank lines are allowed everywhere,
    and blanks at the end of a sequence line, but none before a symbol: there they betray a header that lost
    its `>`. Headers are UTF-8, without control characters but tab and U+0001. A byte order mark and comment
    lines (`;`) are refused, since many programs that read FASTA do not know them. Names need not be unique.
    """

    name = "fasta"
    Options = FastaOptions

    def __init__(self, options: FastaOptions) -> None:
        super().__init__(options)
        symbols, self._kind = _ALPHABETS[options.alphabet]
        if options.gaps or options.aligned:
            symbols += GAPS
        self._symbols = symbols + symbols.lower()

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault."""
        reading = _Reading(self.options, self._symbols, self._kind)
        for chunk in stream.lf_chunks(262_144):
            reading.feed(chunk)
        reading.finish()


class _Reading:
    """How far one file has been read. Holds a header at most, never a sequence."""

    def __init__(self, options: FastaOptions, symbols: bytes, kind: str) -> None:
        self._options = options
        self._plain = symbols + b"\n"
        self._allowed = self._plain + _BLANKS
        self._kind = kind
        self._position = Position()
        self._header = bytearray()  # the header line that is being read
        self._in_header = False
        self._in_record = False
        self._name = ""
        self._name_line = 0
        self._sequences = 0
        self._length = 0
        self._common_length: int | None = None
        self._after_blank = False

    def feed(self, chunk: bytes) -> None:
        at = singly_until = 0
        while at < len(chunk):
            if self._in_header:
                end = chunk.find(b"\n", at) + 1 or len(chunk)
                self._read_header(chunk[at:end])
                at = end
            elif self._position.column == 1 and chunk.startswith(b">", at):
                self._end_record()
                last = chunk.rfind(b"\n>", max(at, singly_until)) + 1
                if last and self._read_plain_records(chunk[at:last]):
                    at = last
                else:
                    singly_until = max(singly_until, last)
                    self._header = bytearray()
                    self._in_header = True
            else:
                # What stands before the next header belongs to this record.
                end = chunk.find(b"\n>", at) + 1 or len(chunk)
                self._read_sequence(chunk[at:end])
                at = end

    def finish(self) -> None:
        if self._in_header:
            self._begin_record()
        self._end_record()
        if self._sequences == 0 < self._options.min_sequences:
            raise Invalid("The file has no sequence.")
        if self._sequences < self._options.min_sequences:
            raise Invalid(
                f"The file has too few sequences: {self._sequences}, where {self._options.min_sequences} are needed."
            )

    def _read_plain_records(self, records: bytes) -> bool:
        """Read whole records at once if nothing is wrong with any; else do nothing, and return False.

        To read them one by one takes ten times longer, and is needed only to say what is wrong, and where.
        """
        parts = [record.partition(b"\n") for record in records[1:-1].split(b"\n>")]
        headers = b"\n".join([header for header, _, _ in parts])
        lengths = [len(lines) - lines.count(b"\n") for _, _, lines in parts]
        options = self._options
        if (
            b"".join([lines for _, _, lines in parts]).translate(None, self._plain)
            or min(lengths) < options.min_length
            or (options.max_length is not None and max(lengths) > options.max_length)
            or (options.aligned and {*lengths, self._common_length or lengths[0]} != {lengths[0]})
            or (options.max_sequences is not None and self._sequences + len(parts) > options.max_sequences)
            or not headers.isascii()
            or _HEADER_CONTROL.search(headers.decode("ascii"))
            or not all(header.strip() for header, _, _ in parts)
        ):
            return False
        self._sequences += len(parts)
        self._common_length = lengths[0]  # of all, where they must be aligned
        self._position.pass_over(records)
        return True

    def _read_header(self, piece: bytes) -> None:
        self._header += piece
        if len(self._header) > LONGEST_HEADER:
            raise Invalid(f"A header is longer than {LONGEST_HEADER} bytes.", line=self._position.line)
        if piece.endswith(b"\n"):
            self._begin_record()
        self._position.pass_over(piece)

    def _begin_record(self) -> None:
        line = self._position.line
        try:
            header = self._header[1:].decode().removesuffix("\n")
        except UnicodeDecodeError as error:
            raise Invalid(
                f"A header is not UTF-8 text: it holds the byte 0x{error.object[error.start]:02X}.",
                line=line,
                column=len(error.object[: error.start].decode()) + 2,
            ) from None
        if control := _HEADER_CONTROL.search(header):
            raise Invalid(
                f"A header holds the control character U+{ord(control[0]):04X}.",
                line=line,
                column=control.start() + 2,
            )
        words = header.split(maxsplit=1)
        if not words:
            raise Invalid("A header has no name after its '>'.", line=line)
        self._name, self._name_line = words[0], line
        self._in_header = False
        self._in_record = True
        self._length = 0
        self._after_blank = False
        self._sequences += 1
        if self._options.max_sequences is not None and self._sequences > self._options.max_sequences:
            raise Invalid(
                f"The file has more than {self._options.max_sequences} sequences.",
                line=line,
                record=self._name,
            )

    def _read_sequence(self, piece: bytes) -> None:
        if not self._in_record:
            self._check_before_first(piece)
        elif bad := piece.translate(None, self._allowed):
            # What stands before the bad character may be at fault already.
            self._read_symbols(piece[: piece.index(bad[0])])
            self._refuse_character(bad[0])
        else:
            self._read_symbols(piece)

    def _read_symbols(self, piece: bytes) -> None:
        endings = piece.count(b"\n")
        blanks = 0
        if self._after_blank or b" " in piece or b"\t" in piece:
            self._check_blanks(piece)
            blanks = piece.count(b" ") + piece.count(b"\t")
        self._count(len(piece) - endings - blanks)
        self._position.pass_over(piece)

    def _check_before_first(self, piece: bytes) -> None:
        text = piece.lstrip(_BLANKS + b"\n")
        self._position.pass_over(piece[: len(piece) - len(text)])
        if not text:
            return
        message = f"The file does not begin with a header line: '>' and a name are expected, not {_shown(text[0])}."
        if text[0] == ord(">"):
            message = "A blank stands before the '>' of the first header."
        elif text[0] == 0xEF and self._position.line == self._position.column == 1:
            message = "The file begins with a byte order mark: save it as UTF-8 without one."
        raise Invalid(message, line=self._position.line, column=self._position.column)

    def _check_blanks(self, piece: bytes) -> None:
        before = b" " if self._after_blank else b""
        if inner := _INNER_BLANK.search(before + piece):
            good = piece[: inner.end() - 1 - len(before)]
            self._count(len(good.translate(None, _BLANKS + b"\n")))
            self._position.pass_over(good)
            raise self._refusal("A blank stands before a symbol of a sequence line.")
        self._after_blank = piece.endswith((b" ", b"\t")) or (self._after_blank and not piece)

    def _count(self, symbols: int) -> None:
        self._length += symbols
        if self._options.max_length is not None and self._length > self._options.max_length:
            self._refuse_record(f"A sequence is longer than {self._options.max_length}.")

    def _refuse_character(self, byte: int) -> NoReturn:
        if byte in GAPS:
            raise self._refusal(f"{_shown(byte)} is a gap; gaps are not allowed here.")
        raise self._refusal(f"{_shown(byte)} is not {self._kind}.")

    def _refusal(self, message: str) -> Invalid:
        return Invalid(message, line=self._position.line, column=self._position.column, record=self._name)

    def _end_record(self) -> None:
        if not self._in_record:
            return
        self._in_record = False
        if self._length == 0:
            self._refuse_record("A header is followed by no sequence.")
        if self._length < self._options.min_length:
            self._refuse_record(f"A sequence has the length {self._length}, less than {self._options.min_length}.")
        if self._options.aligned:
            if self._common_length is None:
                self._common_length = self._length
            elif self._length != self._common_length:
                self._refuse_record(
                    f"The sequences are not aligned: this one has the length {self._length}, "
                    f"those before it {self._common_length}."
                )

    def _refuse_record(self, message: str) -> NoReturn:
        raise Invalid(message, line=self._name_line, record=self._name)


def _shown(byte: int) -> str:
    return excerpt(chr(byte)) if 0x20 < byte < 0x7F else f"the byte 0x{byte:02X}"
