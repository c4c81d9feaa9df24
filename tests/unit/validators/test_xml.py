"""XML is well-formed, and nothing in it grows, leads elsewhere, or takes much memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.registry import build_validator

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><g><path d="M0 0"/></g></svg>'
BLAST = b'<?xml version="1.0"?>\n<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" "http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd">\n<BlastOutput/>'
BILLION_LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(b'<!ENTITY lol%d "%s">' % (n, b"&lol%d;" % (n - 1) * 10) for n in range(2, 10))
    + b"]><lolz>&lol9;</lolz>"
)


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({}, b"<a/>"),
        (
            {},
            b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\r\n<a b="c">text &amp; &#65; <!-- c --><?p i?></a>\n',
        ),
        ({}, '<?xml version="1.0" encoding="utf-16"?><größe/>'.encode("utf-16")),
        ({}, '<?xml version="1.0" encoding="ISO-8859-1"?><größe/>'.encode("latin-1")),
        ({}, b"<a><![CDATA[<b>&c;]]></a>"),
        ({}, b'<!DOCTYPE a [<!ELEMENT a (b, c)?><!ATTLIST a x CDATA "%p;"><!-- %p; -->]><a/>'),
        ({"root": "svg", "namespace": "http://www.w3.org/2000/svg"}, SVG),
        ({"root": "svg"}, b'<s:svg xmlns:s="urn:x"/>'),
        ({"max_depth": 3, "max_elements": 3}, SVG),
        ({"external_dtd": True}, BLAST),
        ({"max_depth": 10_000}, b"<a>" * 10_000 + b"</a>" * 10_000),
    ],
)
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_what_is_good(verdict, options, data, at_once):
    assert verdict("xml", options, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({}, b"", "The file is not well-formed XML: no element found (line 1, column 1)."),
        ({}, b"text", "The file is not well-formed XML: syntax error (line 1, column 1)."),
        ({}, b"<a>\n<b></a>", "The file is not well-formed XML: mismatched tag (line 2, column 6)."),
        ({}, b"<a>", "The file is not well-formed XML: no element found (line 1, column 4)."),
        ({}, b"<a/><b/>", "The file is not well-formed XML: junk after document element (line 1, column 5)."),
        ({}, b'<a x="" x=""/>', "The file is not well-formed XML: duplicate attribute (line 1, column 9)."),
        ({}, b"<p:a/>", "The file is not well-formed XML: unbound prefix (line 1, column 1)."),
        ({}, b"<a>&x;</a>", "The file is not well-formed XML: undefined entity (line 1, column 4)."),
        ({}, b"<a>\xff</a>", "The file is not well-formed XML: not well-formed (invalid token) (line 1, column 4)."),
        (
            {},
            b'<?xml version="1.0" encoding="utf-7"?><a/>',
            "The encoding 'utf-7' is not read here: save the file as UTF-8 (line 1, column 1).",
        ),
        ({"root": "svg"}, b"\n<html/>", "The outermost element is 'html'; 'svg' is expected (line 2, column 1)."),
        (
            {"namespace": "urn:y"},
            b"<svg/>",
            "The outermost element is in no namespace; 'urn:y' is expected (line 1, column 1).",
        ),
        (
            {"namespace": "urn:y"},
            b'<svg xmlns="urn:x"/>',
            "The outermost element is in the namespace 'urn:x'; 'urn:y' is expected (line 1, column 1).",
        ),
        ({"max_depth": 2}, SVG, "Elements are more than 2 deep inside one another (line 1, column 44)."),
        ({"max_elements": 2}, SVG, "The file has more than 2 elements (line 1, column 44)."),
    ],
)
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_what_is_wrong_and_where_is_said(verdict, options, data, refusal, at_once):
    assert verdict("xml", options, data, at_once=at_once) == refusal


@pytest.mark.parametrize("options", [{}, {"external_dtd": True}])
@pytest.mark.parametrize(
    "data",
    [
        BILLION_LAUGHS,
        b'<!DOCTYPE a [<!ENTITY x "%s">]><a>%s</a>' % (b"x" * 10_000, b"&x;" * 10_000),
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://example.org/">]><a/>',
        b'<!DOCTYPE a [<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "x" NDATA n>]><a/>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://example.org/x.dtd"> %x;]><a/>',
        b"<!DOCTYPE a [<!ENTITY % x '<!ENTITY y \"z\">'> %x;]><a>&y;</a>",
        b'<!DOCTYPE a [%x;<!ENTITY y "z">]><a/>',
    ],
)
@pytest.mark.parametrize("at_once", [1, 100_000])
def test_entities_of_every_kind_are_refused(verdict, options, data, at_once):
    refusal = verdict("xml", options, data, at_once=at_once)
    assert "entities are not allowed here" in refusal or "which it does not declare" in refusal


def test_a_dtd_elsewhere_is_refused_unless_it_is_allowed(verdict):
    refusal = "The DOCTYPE names a DTD that lies elsewhere, which is not allowed here"
    assert verdict("xml", {}, BLAST).startswith(refusal)
    assert verdict("xml", {}, b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>').startswith(refusal)
    assert "refers to the entity 'x'" in verdict(
        "xml", {"external_dtd": True}, BLAST.replace(b"<BlastOutput/>", b"<BlastOutput>&x;</BlastOutput>")
    )


def test_default_values_that_would_fill_every_element_are_refused(verdict):
    data = b'<!DOCTYPE a [<!ATTLIST a x CDATA "%s">]><a/>' % (b"x" * 5000)
    assert verdict("xml", {}, data).startswith("The DOCTYPE gives attributes default values of more than 4096")


@pytest.mark.parametrize(
    ("head", "block", "refusal"),
    [
        (b'<a b="', b"x", "A tag, comment or processing instruction is longer than 1 MiB"),
        (b"<a><!--", b"x", "A tag, comment or processing instruction is longer than 1 MiB"),
        (b"<a><?x ", b"x", "A tag, comment or processing instruction is longer than 1 MiB"),
        (b"<", b"x", "A tag, comment or processing instruction is longer than 1 MiB"),
        (b"<!DOCTYPE a [", b"<!ELEMENT a ANY>", "The DOCTYPE is longer than 1 MiB"),
        (b"<!DOCTYPE a [", b"<!-- -->", "The DOCTYPE is longer than 1 MiB"),
    ],
)
def test_what_expat_would_hold_whole_is_refused_while_it_is_read(verdict, endless, peak_below, head, block, refusal):
    with peak_below(8):
        assert verdict("xml", {}, endless(head, block * (65_536 // len(block)), 1024)).startswith(refusal)


@pytest.mark.parametrize(
    "tag",
    ["<a{}/>", '<a a{}=""/>', '<a xmlns:a{}="u"/>', '<a xmlns="u{}"/>'],
    ids=["tags", "attributes", "prefixes", "namespaces"],
)
def test_names_without_end_are_refused(verdict, tag):
    data = b"<r>" + "".join(tag.format(number) for number in range(20_000)).encode() + b"</r>"
    assert verdict("xml", {}, data).startswith("The file has more than 10000 different names")


def test_a_name_without_end_is_refused(verdict):
    data = b'<a><b xmlns="%s"/>' % (b"u" * 5000)
    assert verdict("xml", {}, data + b" " * 100_000).startswith("A name is longer than 4096 characters")


def test_long_texts_and_many_elements_are_not_held(verdict, endless, peak_below):
    with peak_below(2):
        assert verdict("xml", {}, endless(b"<a>", b"text" * 16_384, 200, b"</a>")) is None
        assert verdict("xml", {}, endless(b"<a>", b'<b c="d">e</b>' * 4_000, 20, b"</a>")) is None
        assert verdict("xml", {}, endless(b"<a><![CDATA[", b"x" * 65_536, 100, b"]]></a>")) is None


@pytest.mark.parametrize("options", [{"root": ""}, {"max_depth": 0}, {"max_depth": 10**6}, {"max_elements": 0}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("xml", options)


PIECES = [
    b"<a>",
    b"</a>",
    b"<a/>",
    b"<!DOCTYPE a [",
    b"]>",
    b'<!ENTITY x "y">',
    b"%x;",
    b"&x;",
    b"&lt;",
    b"<!--",
    b"-->",
]
PIECES += [b"<![CDATA[", b"]]>", b"text", b'<b c="d">', b"</b>", b"<?x y?>", b"\n", b'<!DOCTYPE a SYSTEM "x">', b"\xff"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join), st.integers(1, 10))
def test_any_markup_is_either_good_or_refused_however_it_is_cut(verdict, data, at_once):
    # Of two faults expat names the one that it meets first, which depends on the cut.
    assert (verdict("xml", {}, data, at_once=at_once) is None) == (verdict("xml", {}, data) is None)
