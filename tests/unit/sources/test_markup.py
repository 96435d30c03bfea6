from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.errors import MalformedError
from adyton.sources.markup import compile_x_path, find_x_path, parse_html, parse_xml

LAUGHS = (
    b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>"""
)


@pytest.mark.parametrize(
    "data",
    [
        b"<a><b>1</b></a>",
        b'<?xml version="1.0" encoding="UTF-8"?><a>\xc3\xa4</a>',
        b"<a><!-- a comment --><?a pi?></a>",
    ],
)
def test_plain_xml_is_read(data: bytes) -> None:
    assert parse_xml(data).tag == "a"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not xml"),
        (b"<a>", "not xml"),
        (b"<a></a><b/>", "not xml"),
        (b"\xff<a/>", "not utf-8"),
        ("<a>ä</a>".encode("latin-1"), "not utf-8"),
        ('<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16"), "not utf-8"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "another encoding"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "another encoding"),
        (LAUGHS, "a document type"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "a document type"),
        (b"<!doctype x><x/>", "a document type"),
        (b"<a>&b;</a>", "not xml"),
    ],
)
def test_xml_that_reaches_out_or_misleads_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        parse_xml(data)


def test_html_is_repaired() -> None:
    assert find_x_path("//p/text()", parse_html(b"<!doctype html><p>1<p>2")) == ["1", "2"]


def test_html_reads_no_entity_of_its_own() -> None:
    page = b"<!DOCTYPE html [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><p>&a;</p>"
    assert "root:" not in "".join(str(part) for part in parse_html(page).itertext())


@pytest.mark.parametrize("data", [b"", b"   ", b"<!-- -->", b"\xff"])
def test_an_empty_page_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_html(data)


@pytest.mark.parametrize(
    "expression",
    [
        "//a[",
        "",
        "a b",
        "//*[" * 300,
        "/" * 1025,
        "//a[//b[//c]]",
        "//*[preceding::a/following-sibling :: b]",
    ],
)
def test_what_is_not_an_xpath_is_refused(expression: str) -> None:
    with pytest.raises(MalformedError):
        compile_x_path(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "count(//a)",
        "sum(//a)",
        "1 + 1",
        "true()",
        "//a = 1",
        "document('file:///etc/passwd')",
        "re:test(., '(a+)+$')",
        "unknown(//a)",
        "$variable",
        "prefix:a",
    ],
)
def test_an_xpath_selects_nodes_or_text(expression: str) -> None:
    with pytest.raises(MalformedError):
        find_x_path(expression, parse_xml(b"<a>1</a>"))


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("//b/text()", ["1", "2"]),
        ("//b/@c", ["x"]),
        ("string(//b)", ["1"]),
        ("string(//nothing)", []),
        ("//nothing", []),
        ("//b[. != '////']/@c", ["x"]),
        ("normalize-space(//b[2])", ["2"]),
    ],
)
def test_text_is_found(expression: str, found: list[str]) -> None:
    assert (
        find_x_path(expression, parse_xml(b"<a><b c='x'>1</b><b> 2 </b></a>".replace(b" 2 ", b"2")))
        == found
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        parse_xml(data)
    with suppress(MalformedError):
        parse_html(data)


@given(st.text(max_size=40))
def test_any_text_is_an_xpath_or_malformed(expression: str) -> None:
    with suppress(MalformedError):
        find_x_path(expression, parse_xml(b"<a><b>1</b></a>"))
