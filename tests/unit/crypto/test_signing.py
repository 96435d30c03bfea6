"""A signature is one key's, over one message, for one use."""

import pytest

from adyton.crypto.binding import report_data
from adyton.crypto.hashing import FIELD_MODULUS, hash_to_field
from adyton.crypto.signing import SignatureRejectedError, SigningKey, check_signature
from adyton.errors import MalformedError


def test_a_signature_is_accepted_for_its_key_message_and_use() -> None:
    key = SigningKey()
    check_signature(key.public, "use", b"message", key.sign("use", b"message"))


@pytest.mark.parametrize(
    ("domain", "message"), [("other", b"message"), ("use", b"massage"), ("use", b"")]
)
def test_a_signature_is_refused_for_anything_else(domain: str, message: bytes) -> None:
    key = SigningKey()
    with pytest.raises(SignatureRejectedError):
        check_signature(key.public, domain, message, key.sign("use", b"message"))


def test_a_signature_of_another_key_is_refused() -> None:
    with pytest.raises(SignatureRejectedError):
        check_signature(SigningKey().public, "use", b"m", SigningKey().sign("use", b"m"))


def test_a_key_of_the_wrong_size_is_malformed() -> None:
    with pytest.raises(MalformedError):
        check_signature(bytes(31), "use", b"m", bytes(64))


def test_parts_are_told_apart_when_hashed_to_the_field() -> None:
    values = {
        hash_to_field("d", b"ab", b"c"),
        hash_to_field("d", b"a", b"bc"),
        hash_to_field("d", b"abc"),
        hash_to_field("da", b"b", b"c"),
    }
    assert len(values) == 4
    assert all(value < FIELD_MODULUS for value in values)


def test_report_data_tells_manifest_and_challenge_apart() -> None:
    assert report_data(b"ab", b"c") != report_data(b"a", b"bc")
    assert len(report_data(b"", b"")) == 64
