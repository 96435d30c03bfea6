"""What a notary says of itself."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adyton.adapters.insecure import InsecurePlatform
from adyton.adapters.platforms import PlatformName
from adyton.evidence.nitro.layout import Document
from adyton.ledger.ledger import Identity
from adyton.ledger.proof import Enforcement
from adyton.notary.identity import NotaryUnmeasuredError, describe

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def platform(folder: Path, *, code: bytes | None = b"code") -> InsecurePlatform:
    measured = {} if code is None else {0: code}
    return InsecurePlatform.open(folder, measured=measured, clock=lambda: NOW)


@pytest.mark.parametrize(
    ("name", "enforcement"),
    [(PlatformName.INSECURE, Enforcement.STUB), (PlatformName.NITRO, Enforcement.MEASURED_TEE)],
    ids=str,
)
async def test_evidence_is_over_the_key_and_its_epoch(
    name: PlatformName, enforcement: Enforcement, tmp_path: Path
) -> None:
    identity = Identity.generate(os.urandom)
    made = await describe(identity, name=name, platform=platform(tmp_path))
    document = Document.from_bytes(made.report)
    assert document.user_data == identity.binding
    assert document.public_key == identity.key.public
    assert made.measurement == document.pcrs[0].hex()
    assert (made.enforcement, made.format) == (enforcement, "aws-nitro")


async def test_an_enclave_that_was_not_measured_does_not_notarize(tmp_path: Path) -> None:
    bare = platform(tmp_path, code=None)
    with pytest.raises(NotaryUnmeasuredError):
        await describe(Identity.generate(os.urandom), name=PlatformName.NITRO, platform=bare)


def test_two_keys_are_two_epochs() -> None:
    one, other = (Identity.generate(os.urandom) for _ in range(2))
    assert one.epoch != other.epoch
    assert one.binding != other.binding
    assert "key" not in repr(one)
