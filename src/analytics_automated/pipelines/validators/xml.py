"""XML."""

from typing import Final
from xml.parsers import expat

from pydantic import Field

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Options, Validator, excerpt

LONGEST_TAG: Final = 1_048_576
"""Bytes of a tag with its attributes, a comment, a processing instruction or a CDATA mark, at most, to within a
chunk: expat holds them whole, and before 2.6 began each anew with every chunk (CVE-2023-52425)."""

LONGEST_DOCTYPE: Final = 1_048_576
"""Bytes of a DOCTYPE, at most, to within a chunk: expat keeps what it declares."""

MOST_NAMES: Final = 10_000
"""Different names of elements and attributes, prefixes and namespaces, at most: expat keeps each until the end."""

LONGEST_NAME: Final = 4_096
"""Characters of a name, its namespace included, at most."""

LONGEST_DEFAULTS: Final = 4_096
"""Characters of all default values that a DOCTYPE gives to attributes, at most: they are repeated in every element."""

ENCODINGS: Final = frozenset({"utf-8", "utf-16", "us-ascii", "iso-8859-1"})
"""What expat decodes itself. UTF-8 and UTF-16 are those that every XML processor has to know."""

_BETWEEN = " "  # no namespace may hold it, so it can stand between a namespace and a name


class XmlOptions(Options):
    """What is asked of the document; bounds are inclusive."""

    root: str | None = Field(None, min_length=1, description="Name of the outermost element, without a prefix.")
    namespace: str | None = Field(
        None, min_length=1, description="Namespace of the outermost element, such as `http://www.w3.org/2000/svg`."
    )
    max_depth: int = Field(100, ge=1, le=10_000, description="Most elements inside one another.")
    max_elements: int | None = Field(None, ge=1, description="Most elements.")
    external_dtd: bool = Field(
        False,
        description=(
            "May the DOCTYPE name a DTD that lies elsewhere, as that of BLAST's XML does? It is never read "
            "here, but a program that is given the file may fetch it."
        ),
    )


class XmlValidator(Validator[XmlOptions]):
    """A well-formed document: XML 1.0, fifth edition, with Namespaces in XML 1.0.

    The encoding is UTF-8, UTF-16, ISO-8859-1 or US-ASCII. A DOCTYPE is allowed as long as it declares no
    entity, names no DTD elsewhere (but see `external_dtd`) and gives attributes no long default values: so
    that there are no external entities, and nothing grows when it is read. Nothing is checked by a DTD or
    schema. A tag with its attributes, a comment, a processing instruction and the DOCTYPE have at most 1 MiB,
    text any length; there are at most 10,000 different names. References to entities that a DTD elsewhere
    would declare are refused in text; within attributes they are not noticed.
    """

    name = "xml"
    Options = XmlOptions

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault."""
        reading = _Reading(self.options)
        for chunk in stream.chunks():
            reading.feed(chunk)
        reading.finish()


class _Reading:
    """How far one document has been read, by expat alone: handlers look at what it meets and build nothing."""

    def __init__(self, options: XmlOptions) -> None:
        self._options = options
        self._depth = self._elements = self._fed = self._known = self._defaults = 0
        self._doctype: int | None = None  # where it begins, while it is read
        self._names: dict[str, str] = {}  # expat's Python module keeps every name here
        parser = expat.ParserCreate(namespace_separator=_BETWEEN, intern=self._names)
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.XmlDeclHandler = self._check_encoding
        parser.StartNamespaceDeclHandler = lambda *_: None  # it is there so that prefixes are among the names
        parser.StartDoctypeDeclHandler = self._begin_doctype
        parser.EndDoctypeDeclHandler = self._end_doctype
        parser.EntityDeclHandler = self._refuse_entity
        parser.AttlistDeclHandler = self._check_default
        parser.SkippedEntityHandler = self._refuse_reference
        self._parser = parser

    def feed(self, chunk: bytes) -> None:
        self._parse(chunk)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > LONGEST_TAG + len(chunk):
            raise self._refusal("A tag, comment or processing instruction is longer than 1 MiB.")
        if self._doctype is not None and self._fed - self._doctype > LONGEST_DOCTYPE + len(chunk):
            raise self._refusal("The DOCTYPE is longer than 1 MiB.")
        if len(self._names) != self._known:
            self._known = len(self._names)
            if self._known > MOST_NAMES:
                raise self._refusal(f"The file has more than {MOST_NAMES} different names.")
            if max(len(name or "") for name in self._names) > LONGEST_NAME:  # an absent prefix is None
                raise self._refusal(f"A name is longer than {LONGEST_NAME} characters.")

    def finish(self) -> None:
        self._parse(b"", last=True)

    def _parse(self, chunk: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise Invalid(
                f"The file is not well-formed XML: {reason}.", line=error.lineno, column=error.offset + 1
            ) from None

    def _begin(self, name: str, _attributes: object) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements == 1:
            self._check_root(name)
        if self._depth > self._options.max_depth:
            raise self._refusal(f"Elements are more than {self._options.max_depth} deep inside one another.")
        if self._options.max_elements is not None and self._elements > self._options.max_elements:
            raise self._refusal(f"The file has more than {self._options.max_elements} elements.")

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _check_root(self, name: str) -> None:
        namespace, _, local = name.rpartition(_BETWEEN)
        wanted = self._options
        if wanted.root is not None and local != wanted.root:
            raise self._refusal(f"The outermost element is {excerpt(local)}; {excerpt(wanted.root)} is expected.")
        if wanted.namespace is not None and namespace != wanted.namespace:
            found = f"in the namespace {excerpt(namespace, 100)}" if namespace else "in no namespace"
            raise self._refusal(f"The outermost element is {found}; {excerpt(wanted.namespace, 100)} is expected.")

    def _check_encoding(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            raise self._refusal(f"The encoding {excerpt(encoding)} is not read here: save the file as UTF-8.")

    def _begin_doctype(self, _name: str, system: str | None, public: str | None, _subset: int) -> None:
        self._doctype = self._parser.CurrentByteIndex
        self._parser.DefaultHandler = self._check_declaration
        if not self._options.external_dtd and (system is not None or public is not None):
            raise self._refusal("The DOCTYPE names a DTD that lies elsewhere, which is not allowed here.")

    def _end_doctype(self) -> None:
        self._doctype = None
        self._parser.DefaultHandler = None

    def _check_declaration(self, token: str) -> None:
        # Behind a reference to a parameter entity that is not read, expat no longer tells of declarations.
        if token.startswith("%") and token.endswith(";"):
            self._refuse_reference(token[1:-1], 1)

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise self._refusal(f"The DOCTYPE declares the entity {excerpt(name)}; entities are not allowed here.")

    def _refuse_reference(self, name: str, _is_parameter: int) -> None:
        raise self._refusal(f"The file refers to the entity {excerpt(name)}, which it does not declare.")

    def _check_default(self, _element: str, _name: str, _type: str, default: str | None, _required: int) -> None:
        self._defaults += len(default or "")
        if self._defaults > LONGEST_DEFAULTS:
            message = f"The DOCTYPE gives attributes default values of more than {LONGEST_DEFAULTS} characters."
            raise self._refusal(message)

    def _refusal(self, message: str) -> Invalid:
        return Invalid(message, line=self._parser.CurrentLineNumber, column=self._parser.CurrentColumnNumber + 1)
