"""OpenPGP keys: small enough for hardware evidence, and saying what clients must know."""

from datetime import UTC, datetime

import pytest

from adyton.crypto.openpgp import OpenPgpCurve, OpenPgpKey

packet = pytest.importorskip("pysequoia.packet")

CREATED = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
# What a Nitro Secure Module takes as a public key.
NSM_LIMIT = 1024


@pytest.mark.parametrize("curve", OpenPgpCurve)
def test_the_armored_key_fits_into_hardware_evidence(curve: OpenPgpCurve) -> None:
    key = OpenPgpKey.generate(curve, created=CREATED)

    assert len(key.public.encode()) <= NSM_LIMIT
    assert key.public.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")


@pytest.mark.parametrize("curve", OpenPgpCurve)
def test_another_implementation_reads_the_key_and_its_time(curve: OpenPgpCurve) -> None:
    key = OpenPgpKey.generate(curve, created=CREATED)

    packets = list(packet.PacketPile.from_bytes(key.public.encode()))

    tags = ["PublicKey", "UserID", "Signature", "PublicSubkey", "Signature"]
    assert [str(each.tag).removeprefix("Tag.") for each in packets] == tags
    assert packets[0].key_created == CREATED
    assert packets[2].key_flags.certification
    assert packets[4].key_flags.transport_encryption


@pytest.mark.parametrize("curve", OpenPgpCurve)
def test_the_public_half_holds_nothing_secret(curve: OpenPgpCurve) -> None:
    key = OpenPgpKey.generate(curve, created=CREATED)

    tags = {str(each.tag) for each in packet.PacketPile.from_bytes(key.public.encode())}

    assert not any("Secret" in tag for tag in tags)
    assert repr(key.secret) not in repr(key)


def test_two_keys_differ() -> None:
    first, second = (OpenPgpKey.generate(OpenPgpCurve.X25519, created=CREATED) for _ in range(2))

    assert first.public != second.public
