"""Signed XML as a fake vendor makes it, and what has been tried against such signatures."""

import base64
import time
from typing import Any

import pytest
from tests.fakes.nvidia import KEYS, SHA384_NAMES, SIGNED_INFO, SWID, FakeNvidia

from adyton.crypto.ecdsa import Es384PublicKey
from adyton.crypto.signing import SignatureRejectedError
from adyton.crypto.xml_signature import SignedXml
from adyton.errors import MalformedError
from adyton.evidence.nvidia.collateral import MAX_RIM_BYTES

VENDOR = FakeNvidia("hopper")
KEY = Es384PublicKey(KEYS.by_role["rim_leaf"].public_key(), where="the key")
GOOD = VENDOR.rim("vbios")
CONTENT = VENDOR.content("vbios").encode()
SIGNATURE = GOOD[GOOD.index(b"<ds:Signature") : GOOD.index(b"</SoftwareIdentity>")]


def check(data: bytes) -> SignedXml:
    signed = SignedXml.from_bytes(data, where="the rim", limit_bytes=MAX_RIM_BYTES)
    signed.check(KEY, domain="the rim")
    return signed


def test_what_is_signed_is_the_document_without_its_signature() -> None:
    found = check(GOOD)
    assert found.content == CONTENT
    assert found.certificates == tuple(
        VENDOR.der[role] for role in ("rim_leaf", "rim_line", "rim_family", "rim_root")
    )


def test_what_is_written_in_another_way_is_the_same_content() -> None:
    other = GOOD.replace(b"></Entity>", b" />").replace(b"<Entity name", b"<Entity   name")
    assert other != GOOD
    assert check(other).content == CONTENT
    declared = b'<?xml version="1.0" encoding="UTF-8"?>' + GOOD
    assert check(declared).content == CONTENT


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GOOD.replace(b'name="Fake"', b'name="Fakf"'), id="an attribute"),
        pytest.param(GOOD.replace(b"<Payload>", b"<Payload>text"), id="text"),
        pytest.param(GOOD.replace(b"<Payload>", b"<Payload><x></x>"), id="an element"),
        pytest.param(GOOD.replace(b"</ds:Signature>", b"</ds:Signature> "), id="behind it"),
        pytest.param(
            GOOD.replace(b'xmlns:ns2="', b'xmlns:ns3="x:y" xmlns:ns2="'), id="a namespace"
        ),
        pytest.param(VENDOR.rim("vbios", role="other"), id="another key"),
        pytest.param(
            GOOD.replace(SIGNATURE, VENDOR.rim("driver")[-len(SIGNATURE) - 19 : -19]),
            id="another document's",
        ),
    ],
)
def test_what_was_not_signed_is_refused(data: bytes) -> None:
    with pytest.raises((SignatureRejectedError, MalformedError)):
        check(data)


def test_a_changed_document_is_refused_for_its_signature() -> None:
    with pytest.raises(SignatureRejectedError):
        check(GOOD.replace(b'name="Fake"', b'name="Fakf"'))


def info(old: str, new: str) -> bytes:
    """Return a document whose signature says something else of itself, and holds."""
    assert old in SIGNED_INFO
    return VENDOR.rim("vbios", signed_info=SIGNED_INFO.replace(old, new))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(info("2006/12/xml-c14n11", "2001/10/xml-exc-c14n#"), id="exclusive c14n"),
        pytest.param(info("#ecdsa-sha384", "#ecdsa-sha256"), id="signature algorithm"),
        pytest.param(info("#ecdsa-sha384", "#hmac-sha384"), id="hmac"),
        pytest.param(info("#sha384", "#sha224"), id="digest algorithm"),
        pytest.param(info('URI=""', 'URI="#part"'), id="a part of the document"),
        pytest.param(info('URI=""', 'URI="http://127.0.0.1/"'), id="another document"),
        pytest.param(info('URI=""', ""), id="no reference"),
        pytest.param(info("#enveloped-signature", "#base64"), id="transform"),
        pytest.param(
            info(
                "</ds:Transforms>",
                '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">'
                "</ds:Transform></ds:Transforms>",
            ),
            id="a transform more",
        ),
        pytest.param(
            info("</ds:Reference>", '</ds:Reference><ds:Reference URI="#x"></ds:Reference>'),
            id="two references",
        ),
        pytest.param(info("<ds:Transforms>", "<ds:Transforms>text"), id="text in between"),
        pytest.param(info("{digest}", "AAAA"), id="a short digest"),
        pytest.param(info("{digest}", "?"), id="no digest"),
    ],
)
def test_a_signature_of_another_kind_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        SignedXml.from_bytes(data, where="the rim", limit_bytes=MAX_RIM_BYTES)


def wrapped(data: bytes) -> bytes:
    """Return a document of the attacker's own, with the signed one somewhere in it."""
    evil = CONTENT.replace(b"</SoftwareIdentity>", b"")
    return evil + data + b"</SoftwareIdentity>"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(wrapped(GOOD), id="the signed one inside"),
        pytest.param(wrapped(GOOD + SIGNATURE), id="the signature beside it"),
        pytest.param(wrapped(SIGNATURE + CONTENT), id="the signature before it"),
        pytest.param(GOOD.replace(SIGNATURE, SIGNATURE * 2), id="two signatures"),
        pytest.param(
            GOOD.replace(SIGNATURE, b"").replace(b"<Payload>", b"<Payload>" + SIGNATURE),
            id="the signature inside",
        ),
        pytest.param(
            GOOD.replace(b"</ds:KeyInfo>", b"</ds:KeyInfo><ds:Object>" + CONTENT + b"</ds:Object>"),
            id="the document in the signature",
        ),
        pytest.param(CONTENT, id="no signature"),
        pytest.param(SIGNATURE, id="nothing signed"),
    ],
)
def test_nothing_can_be_wrapped_around_what_was_signed(data: bytes) -> None:
    with pytest.raises((MalformedError, SignatureRejectedError)):
        check(data)


BOMB = b"".join(
    b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"a" * 10) for n in range(9)
)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<!DOCTYPE SoftwareIdentity [" + BOMB + b"]>" + GOOD, id="a bomb"),
        pytest.param(
            b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
            + GOOD.replace(b"Fake", b"&f;"),
            id="a file",
        ),
        pytest.param(
            b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + GOOD, id="a type elsewhere"
        ),
        pytest.param(GOOD.replace(b"<Payload>", b"<Payload><!-- x -->"), id="a comment"),
        pytest.param(GOOD.replace(b"<Payload>", b"<Payload><![CDATA[ ]]>"), id="a section"),
        pytest.param(GOOD.replace(b"<Payload>", b"<Payload><?x y?>"), id="an instruction"),
        pytest.param(GOOD.replace(b"Fake", b"&#70;ake"), id="a reference"),
        pytest.param(GOOD.replace(b"<Payload", b'<Payload xml:id="x"'), id="xml:id"),
        pytest.param(
            b'<?xml version="1.0" encoding="utf-16"?>' + GOOD, id="another encoding declared"
        ),
        pytest.param(GOOD.decode().encode("utf-16"), id="another encoding"),
        pytest.param(b"<a>" * 5000, id="depth"),
        pytest.param(b"<a>" + b"<b/>" * 5000 + b"</a>", id="many elements"),
        pytest.param(
            b"<a" + b"".join(b' xmlns:n%d="x:%d"' % (n, n) for n in range(5000)) + b"/>",
            id="many namespaces",
        ),
        pytest.param(
            GOOD.replace(
                b"<Payload", b"<Payload" + b"".join(b' a%05d=""' % n for n in range(22000))
            ),
            id="many attributes",
        ),
        pytest.param(b"<a>" + b" " * 262144 + b"</a>", id="large"),
        pytest.param(b'<a xmlns="relative"' + GOOD[17:], id="a relative namespace"),
    ],
)
def test_what_no_signed_document_has_is_malformed_at_once(data: bytes) -> None:
    start = time.process_time()
    with pytest.raises(MalformedError):
        SignedXml.from_bytes(data, where="the rim", limit_bytes=MAX_RIM_BYTES)
    assert time.process_time() - start < 1


X509: dict[str, Any] = {
    "none": "<ds:KeyInfo><ds:X509Data></ds:X509Data></ds:KeyInfo>",
    "a key": "<ds:KeyInfo><ds:KeyValue></ds:KeyValue></ds:KeyInfo>",
    "two": "<ds:KeyInfo><ds:X509Data></ds:X509Data><ds:X509Data></ds:X509Data></ds:KeyInfo>",
    "no base64": (
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>?</ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo>"
    ),
    "an element": (
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate><x></x></ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo>"
    ),
    "many": "<ds:KeyInfo><ds:X509Data>"
    + "<ds:X509Certificate>AAAA</ds:X509Certificate>" * 9
    + "</ds:X509Data></ds:KeyInfo>",
    "a name": '<ds:KeyInfo Id="x"><ds:X509Data></ds:X509Data></ds:KeyInfo>',
    "text": "<ds:KeyInfo>x<ds:X509Data></ds:X509Data></ds:KeyInfo>",
}


@pytest.mark.parametrize("name", X509)
def test_certificates_of_another_form_are_malformed(name: str) -> None:
    with pytest.raises(MalformedError):
        SignedXml.from_bytes(
            VENDOR.rim("vbios", key_info=X509[name]), where="the rim", limit_bytes=MAX_RIM_BYTES
        )


@pytest.mark.parametrize("size", [0, 95, 97])
def test_a_signature_of_another_size_is_malformed(size: int) -> None:
    start = GOOD.index(b"<ds:SignatureValue>") + 19
    value = base64.b64encode(bytes(size))
    data = GOOD[:start] + value + GOOD[GOOD.index(b"</ds:SignatureValue>") :]
    with pytest.raises(MalformedError):
        SignedXml.from_bytes(data, where="the rim", limit_bytes=MAX_RIM_BYTES)


def test_a_document_with_nothing_but_its_signature_is_read() -> None:
    names = f'xmlns="{SWID}" xmlns:ns2="{SHA384_NAMES}"'
    content = f"<SoftwareIdentity {names}>text</SoftwareIdentity>"
    assert check(VENDOR.rim(content=content)).content == content.encode()
