"""A certificate's parts: as the library reads them, where it does, and strictly."""

from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.amd import FakeAmd
from tests.fakes.intel import FakeIntel, der
from tests.fakes.nitro import FakeNitro

from adyton.crypto.fields import (
    CRL_SIGN,
    DIGITAL_SIGNATURE,
    KEY_CERT_SIGN,
    BasicConstraints,
    Fields,
    basic_constraints,
    common_name,
    key_usage,
    purposes,
)
from adyton.errors import MalformedError

INTEL = FakeIntel()
CERTIFICATES = {
    **{name: INTEL.der(name) for name in INTEL.certificates},
    "ark": FakeAmd().ark_der,
    "nitro": FakeNitro().chain[0],
}


@pytest.mark.parametrize("which", CERTIFICATES)
def test_parts_are_what_the_library_reads(which: str) -> None:
    data = CERTIFICATES[which]
    ours, theirs = Fields.from_bytes(data, where="it"), x509.load_der_x509_certificate(data)
    assert (ours.signed, ours.signature) == (theirs.tbs_certificate_bytes, theirs.signature)
    assert ours.serial == theirs.serial_number
    assert ours.issuer == theirs.issuer.public_bytes()
    assert ours.subject == theirs.subject.public_bytes()
    assert ours.window("it") == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    (name,) = theirs.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert common_name(ours.subject, where="it") == name.value
    assert {
        identifier: (item.critical, item.value)
        for identifier, item in ours.extensions("it").items()
    } == {
        item.oid.dotted_string: (item.critical, item.value.public_bytes())
        for item in theirs.extensions
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("03020780", DIGITAL_SIGNATURE),
        ("03020106", KEY_CERT_SIGN | CRL_SIGN),
        # The ninth bit is in a second byte.
        ("0303070080", 0),
        ("030100", 0),
    ],
)
def test_a_key_usage_is_read(value: str, expected: int) -> None:
    assert key_usage(bytes.fromhex(value), where="it") == expected


@pytest.mark.parametrize(
    "value", ["", "0300", "030101", "030880", "03020880", "03020781", "030400808080", "0402 0780"]
)
def test_a_key_usage_of_another_form_is_malformed(value: str) -> None:
    with pytest.raises(MalformedError):
        key_usage(bytes.fromhex(value), where="it")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3000", BasicConstraints(is_authority=False, path_length=None)),
        ("30030101ff", BasicConstraints(is_authority=True, path_length=None)),
        ("30060101ff020102", BasicConstraints(is_authority=True, path_length=2)),
        ("3003020100", BasicConstraints(is_authority=False, path_length=0)),
    ],
)
def test_basic_constraints_are_read(value: str, expected: BasicConstraints) -> None:
    assert basic_constraints(bytes.fromhex(value), where="it") == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "3003010100",
        "3003010101",
        "30060101ff0201ff",
        "30070101ff02020001",
        "30090101ff020100020100",
        "30030101ff00",
        "3105",
    ],
)
def test_basic_constraints_of_another_form_are_malformed(value: str) -> None:
    with pytest.raises(MalformedError):
        basic_constraints(bytes.fromhex(value), where="it")


def test_identifiers_have_numbers_with_dots_between() -> None:
    found = [b"\x2a\x03", b"\x53\x04", b"\x88\x37\x03", b"\x2b\x06\x01\x05\x05\x07\x03\x09"]
    value = der(0x30, *(der(0x06, item) for item in found))
    assert purposes(value, where="it") == {"1.2.3", "2.3.4", "2.999.3", "1.3.6.1.5.5.7.3.9"}


@pytest.mark.parametrize("content", [b"", b"\x80\x01", b"\x2a\x80\x01", b"\x2a\x81", b"\x2a" * 33])
def test_an_identifier_of_another_form_is_malformed(content: bytes) -> None:
    with pytest.raises(MalformedError):
        purposes(der(0x30, der(0x06, content)), where="it")


@pytest.mark.parametrize(
    "times",
    [
        der(0x17, b"261120120000Z") + der(0x17, b"261120120060Z"),
        der(0x17, b"261120120000Z"),
        der(0x17, b"261120120000Z") * 3,
        der(0x17, b"261120120000+0100") + der(0x17, b"261120120000Z"),
        der(0x18, b"20261120120000.5Z") + der(0x17, b"261120120000Z"),
        der(0x18, b"00001120120000Z") + der(0x17, b"261120120000Z"),
    ],
)
def test_a_validity_of_another_form_is_malformed(times: bytes) -> None:
    fields = Fields.from_bytes(changed_validity(times), where="it")
    with pytest.raises(MalformedError, match="validity"):
        fields.window("it")


def test_both_kinds_of_time_are_read() -> None:
    data = changed_validity(der(0x17, b"500101000000Z") + der(0x18, b"99991231235959Z"))
    first, last = Fields.from_bytes(data, where="it").window("it")
    assert (first.year, last.year) == (1950, 9999)


def changed_validity(times: bytes) -> bytes:
    """Return a certificate with another validity, which nobody signed."""
    fields = Fields.from_bytes(CERTIFICATES["pck"], where="it")
    body = fields.signed[4:].replace(fields.validity, der(0x30, times))
    return der(0x30, der(0x30, body), fields.algorithms[1], der(0x03, b"\0", fields.signature))


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    for read in (Fields.from_bytes, basic_constraints, key_usage, purposes):
        with suppress(MalformedError):
            read(data, where="it")
