import pytest

from adyton.codec.xml import canonical_xml, check_encoding, parse_xml
from adyton.errors import MalformedError


def test_one_content_has_one_canonical_form() -> None:
    forms = [
        b'<a  c="2" b="1"><d/><!-- x --></a>',
        b"<?xml version='1.0' encoding='UTF-8'?>\n<a b='1' c='2'><d></d></a>\n",
    ]
    assert {canonical_xml(parse_xml(form)) for form in forms} == {b'<a b="1" c="2"><d></d></a>'}


def test_an_element_alone_repeats_what_is_declared_around_it() -> None:
    root = parse_xml(b'<a xmlns="urn:x" xmlns:p="urn:y"><b/></a>')
    assert canonical_xml(root[0]) == b'<b xmlns="urn:x" xmlns:p="urn:y"></b>'


def test_what_has_no_canonical_form_is_malformed() -> None:
    with pytest.raises(MalformedError, match="canonical"):
        canonical_xml(parse_xml(b'<a xmlns="relative"/>'))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<a>", id="open"),
        pytest.param(b"<a/><b/>", id="two"),
        pytest.param(b"<!DOCTYPE a><a/>", id="type"),
        pytest.param(b"<a>&x;</a>", id="entity"),
        pytest.param(b"<a>\xff</a>", id="encoding"),
        pytest.param(b'<?xml version="1.0" encoding="latin-1"?><a/>', id="declared"),
        pytest.param(b"<a>" * 300 + b"</a>" * 300, id="depth"),
    ],
)
def test_what_is_not_plain_xml_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_xml(data)


def test_what_declares_utf_8_is_taken_at_its_word() -> None:
    check_encoding(b'<?xml version="1.0" encoding="utf-8"?><a/>')
