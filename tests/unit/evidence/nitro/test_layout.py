from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest
from tests.fakes.nitro import ES384_HEADER, REGISTERS, FakeNitro

from adyton.errors import MalformedError
from adyton.evidence.nitro.layout import MAX_DOCUMENT_BYTES, Document
from adyton.model.claims import Technology

VENDOR = FakeNitro()


def read(**changes: Any) -> Document:
    return Document.from_bytes(VENDOR.document(VENDOR.fields(**changes)))


def test_every_field_is_read() -> None:
    document = read()
    assert document.technology is Technology.NITRO
    assert document.module_id == "i-0123456789abcdef0-enc0123456789abcdef"
    assert document.timestamp == datetime(2026, 11, 20, 11, 59, 0, 136000, tzinfo=UTC)
    assert document.pcrs == REGISTERS
    assert (*document.cabundle, document.certificate) == tuple(VENDOR.chain)
    assert document.public_key == b"public key"
    assert document.user_data == b"user data"
    assert document.nonce == b"nonce"


@pytest.mark.parametrize("name", ["public_key", "user_data", "nonce"])
@pytest.mark.parametrize("absent", [None, ...])
def test_an_optional_field_is_absent_as_null_or_not_at_all(name: str, absent: Any) -> None:
    assert getattr(read(**{name: absent}), name) is None


def test_the_bounds_themselves_are_allowed() -> None:
    document = read(
        user_data=b"",
        nonce=bytes(1024),
        public_key=bytes(1024),
        timestamp=1,
        pcrs={31: bytes(32), 0: bytes(64)},
    )
    assert document.user_data == b""
    assert document.pcrs == {31: bytes(32), 0: bytes(64)}


def test_the_registers_of_a_tpm_have_another_name() -> None:
    document = read(pcrs=..., nitrotpm_pcrs={index: bytes(48) for index in range(24)})
    assert document.technology is Technology.NITRO_TPM
    assert len(document.pcrs) == 24


def test_a_tagged_document_is_read_too() -> None:
    assert Document.from_bytes(VENDOR.document(tag=18)).user_data == b"user data"


def test_maps_and_arrays_without_a_count_are_read() -> None:
    # As newer hypervisors write the payload: a map that ends with a break.
    payload = cbor2.dumps(VENDOR.fields())
    assert payload[0] == 0xA9
    document = Document.from_bytes(VENDOR.document(payload=b"\xbf" + payload[1:] + b"\xff"))
    assert document.user_data == b"user data"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *[
            pytest.param({name: ...}, f"lacks {name}", id=f"no {name}")
            for name in ("module_id", "digest", "timestamp", "certificate", "cabundle")
        ],
        *[
            pytest.param({name: None}, reason, id=f"null {name}")
            for name, reason in [
                ("module_id", "not text"),
                ("digest", "not SHA384"),
                ("timestamp", "not an integer"),
                ("pcrs", "not a map"),
                ("certificate", "not a byte string"),
                ("cabundle", "not an array"),
            ]
        ],
        ({"module_id": ""}, "module_id has 0 characters"),
        ({"module_id": b"bytes"}, "module_id is not text"),
        ({"module_id": "x" * 257}, "module_id has 257"),
        ({"digest": "SHA256"}, "digest is not SHA384"),
        ({"digest": "sha384"}, "digest is not SHA384"),
        ({"digest": b"SHA384"}, "digest is not SHA384"),
        ({"timestamp": 0}, "timestamp is not in"),
        ({"timestamp": -1}, "timestamp is not in"),
        ({"timestamp": True}, "timestamp is not an integer"),
        ({"timestamp": "1"}, "timestamp is not an integer"),
        ({"timestamp": 253_402_300_800_000}, "timestamp is not in"),
        ({"timestamp": 2**64 - 1}, "timestamp is not in"),
        ({"pcrs": ...}, "not one of pcrs and nitrotpm_pcrs"),
        ({"nitrotpm_pcrs": {0: bytes(48)}}, "not one of pcrs and nitrotpm_pcrs"),
        ({"pcrs": {}}, "0 registers"),
        ({"pcrs": {index: bytes(48) for index in range(33)}}, "33 registers"),
        ({"pcrs": {32: bytes(48)}}, "index of a register is not in"),
        ({"pcrs": {-1: bytes(48)}}, "index of a register is not in"),
        ({"pcrs": {"0": bytes(48)}}, "index of a register is not an integer"),
        ({"pcrs": {0: "text"}}, "pcr 0 is not a byte string"),
        ({"pcrs": {0: bytes(47)}}, "pcr 0 has 47 bytes"),
        ({"pcrs": {0: bytes(65)}}, "pcr 0 has 65 bytes"),
        ({"pcrs": {0: b""}}, "pcr 0 has 0 bytes"),
        ({"certificate": b""}, "certificate has 0 bytes"),
        ({"certificate": bytes(1025)}, "certificate has 1025 bytes"),
        ({"cabundle": []}, "cabundle has 0 items"),
        ({"cabundle": [b"x"] * 10}, "cabundle has 10 items"),
        ({"cabundle": [b""]}, "certificate in cabundle has 0 bytes"),
        ({"cabundle": [bytes(1025)]}, "certificate in cabundle has 1025 bytes"),
        ({"cabundle": ["text"]}, "certificate in cabundle is not a byte string"),
        ({"public_key": b""}, "public_key has 0 bytes"),
        ({"public_key": bytes(1025)}, "public_key has 1025 bytes"),
        ({"public_key": "text"}, "public_key is not a byte string"),
        ({"user_data": bytes(1025)}, "user_data has 1025 bytes"),
        ({"user_data": 1}, "user_data is not a byte string"),
        ({"nonce": bytes(1025)}, "nonce has 1025 bytes"),
        ({"nonce": []}, "nonce is not a byte string"),
        ({"extra": 1}, "has the field 'extra'"),
        ({"PCRS": {}}, "has the field 'PCRS'"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        read(**changes)


def test_a_field_without_a_name_is_refused() -> None:
    with pytest.raises(MalformedError, match="has the field '1'"):
        Document.from_bytes(VENDOR.document({**VENDOR.fields(), 1: 2}))


def test_a_field_that_comes_twice_is_refused() -> None:
    payload = cbor2.dumps(VENDOR.fields())
    twice = b"\xaa" + payload[1:] + cbor2.dumps("nonce") + cbor2.dumps(b"other")
    with pytest.raises(MalformedError, match="duplicate key"):
        Document.from_bytes(VENDOR.document(payload=twice))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"payload": cbor2.dumps([1])}, "not a map"),
        ({"payload": cbor2.dumps({}) + b"\x00"}, "too many"),
        ({"payload": bytes(16 * 1024 + 1)}, "the limit is"),
        ({"protected": cbor2.dumps({1: -7})}, "es384 alone"),
        ({"protected": cbor2.dumps({1: -34})}, "es384 alone"),
        ({"protected": b""}, "es384 alone"),
        ({"protected": cbor2.dumps({1: "ES384"})}, "es384 alone"),
        ({"protected": cbor2.dumps({1: -35, 2: [4]})}, "es384 alone"),
        ({"protected": cbor2.dumps({1: -35, 4: b"key"})}, "es384 alone"),
        ({"unprotected": {4: b"key"}}, "unprotected header is not empty"),
        ({"unprotected": {1: -35}, "protected": b""}, "es384 alone"),
        ({"signature": bytes(95)}, "95 bytes, not 96"),
        ({"signature": bytes(97)}, "97 bytes, not 96"),
        ({"tag": 98}, "tag 98"),
    ],
)
def test_a_message_of_another_form_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        Document.from_bytes(VENDOR.document(**changes))


def test_a_document_beyond_the_limit_is_not_looked_at() -> None:
    with pytest.raises(MalformedError, match="the limit is"):
        Document.from_bytes(bytes(MAX_DOCUMENT_BYTES + 1))


def test_the_header_is_signed_as_it_came() -> None:
    document = Document.from_bytes(VENDOR.document())
    payload = cbor2.loads(VENDOR.document())[2]
    assert document.signed_bytes == cbor2.dumps(["Signature1", ES384_HEADER, b"", payload])
