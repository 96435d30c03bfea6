"""Messages of the client library that TEE-Rex's SDK uses, set as that SDK sets it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.tee_rex.sealing import seal

from adyton.adapters.openpgp import OpenPgpTooLargeError, open_message
from adyton.crypto.openpgp import OpenPgpCurve, OpenPgpKey

pytest.importorskip("pysequoia")

LIMIT = 8 * 1024 * 1024
PUBLIC_KEY_ALGORITHMS = {OpenPgpCurve.X25519: 25, OpenPgpCurve.P256: 18}


def fresh(curve: OpenPgpCurve) -> OpenPgpKey:
    return OpenPgpKey.generate(curve, created=datetime.now(UTC) - timedelta(days=1))


@pytest.mark.parametrize("curve", OpenPgpCurve)
def test_the_client_seals_with_aes_256_gcm_and_the_worker_opens_it(
    curve: OpenPgpCurve, tmp_path: Path
) -> None:
    key, plaintext = fresh(curve), bytes(range(256)) * 2000

    sealed = seal(plaintext, key.public, folder=tmp_path)

    session, data = sealed.packets
    assert (session["tag"], session["version"]) == (1, 6)
    assert session["algorithm"] == PUBLIC_KEY_ALGORITHMS[curve]
    assert (data["tag"], data["version"], data["cipher"], data["aead"]) == (18, 2, 9, 3)
    assert open_message(sealed.message, key=key.secret, limit_bytes=LIMIT) == plaintext


@pytest.mark.parametrize("curve", OpenPgpCurve)
def test_the_older_form_opens_too(curve: OpenPgpCurve, tmp_path: Path) -> None:
    key = fresh(curve)

    sealed = seal(b"witness", key.public, folder=tmp_path, way="fallback")

    assert [packet["version"] for packet in sealed.packets] == [3, 1]
    assert open_message(sealed.message, key=key.secret, limit_bytes=LIMIT) == b"witness"


def test_a_message_that_would_grow_a_thousandfold_is_cut_off(tmp_path: Path) -> None:
    key, plaintext = fresh(OpenPgpCurve.X25519), bytes(32 * 1024 * 1024)

    sealed = seal(plaintext, key.public, folder=tmp_path, way="compressed")

    assert len(sealed.message) < 64 * 1024
    with pytest.raises(OpenPgpTooLargeError):
        open_message(sealed.message, key=key.secret, limit_bytes=LIMIT)
