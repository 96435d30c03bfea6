import cbor2
import pytest

from adyton.codec.cose import ALGORITHM, ES384, Sign1
from adyton.errors import MalformedError

HEADER = cbor2.dumps({1: -35})
PARTS = [HEADER, {}, b"payload", b"signature"]


def read(parts: object) -> Sign1:
    return Sign1.from_bytes(cbor2.dumps(parts), limit_bytes=1024)


@pytest.mark.parametrize("tagged", [False, True])
def test_a_message_is_read_tagged_or_not(*, tagged: bool) -> None:
    data = cbor2.dumps(cbor2.CBORTag(18, PARTS) if tagged else PARTS)
    message = Sign1.from_bytes(data, limit_bytes=1024)
    assert message.header == {ALGORITHM: ES384}
    assert message.payload == b"payload"
    assert message.tagged is tagged
    assert message.to_bytes() == data


def test_what_is_signed_has_the_header_as_it_came() -> None:
    # A map that another encoder would write differently: the label 1 behind the label 4.
    header = b"\xa2\x04\x41k\x01\x38\x22"
    message = read([header, {}, b"payload", b"signature"])
    assert message.signed_bytes() == cbor2.dumps(["Signature1", header, b"", b"payload"])


def test_an_empty_header_is_a_string_of_length_zero() -> None:
    assert read([b"", {}, b"payload", b"signature"]).header == {}


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, "not an array"),
        (PARTS[:3], "has 3 items"),
        ([*PARTS, b""], "has 5 items"),
        ([{}, *PARTS[1:]], "protected header is not a byte string"),
        ([cbor2.dumps([1]), *PARTS[1:]], "protected header is not a map"),
        ([b"\xa1\x01", *PARTS[1:]], "ends before"),
        ([b"\xa2\x01\x38\x22\x01\x38\x22", *PARTS[1:]], "duplicate key"),
        ([HEADER + b"\x00", *PARTS[1:]], "too many"),
        ([HEADER, [], b"payload", b"signature"], "unprotected header is not a map"),
        ([HEADER, {}, None, b"signature"], "payload is not a byte string"),
        ([HEADER, {}, b"", b"signature"], "payload has 0 bytes"),
        ([HEADER, {}, b"payload", "text"], "signature is not a byte string"),
        (cbor2.CBORTag(17, PARTS), "tag 17, not 18"),
        (cbor2.CBORTag(18, cbor2.CBORTag(18, PARTS)), "not an array"),
    ],
)
def test_what_is_not_a_message_is_refused(parts: object, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        read(parts)
