import hashlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.fakes.nitro import NOW

from adyton.adapters.insecure import ROOT_NAME, InsecurePlatform, PlatformStateError
from adyton.crypto.path import CertificateTimeRejectedError, RootRejectedError
from adyton.errors import UnavailableError
from adyton.evidence.nitro.authenticate import authenticate
from adyton.evidence.nitro.layout import Document
from adyton.evidence.roots import trusted_roots
from adyton.model.claims import Claims, Platform, Technology, VendorRoot

MEASURED = {0: b"image", 1: b"kernel", 2: b"application"}
STATE = "insecure-platform.json"


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def opened(folder: Path, clock: Clock | None = None) -> InsecurePlatform:
    return InsecurePlatform.open(folder, measured=MEASURED, clock=clock or Clock())


def claims_of(platform: InsecurePlatform, document: bytes, at: datetime = NOW) -> Claims:
    return authenticate(document, roots={"insecure": platform.root_sha256}, at=at)


async def test_its_evidence_is_verified_by_the_same_code_as_awss(tmp_path: Path) -> None:
    platform = opened(tmp_path)
    document = await platform.evidence(b"r" * 64, b"challenge", b"k" * 32)
    claims = claims_of(platform, document)
    assert claims.technology is Technology.NITRO
    assert claims.platform is Platform.INSECURE
    assert claims.report_data == b"r" * 64
    assert claims.nonce == b"challenge"
    assert claims.public_key == b"k" * 32
    assert claims.issued == NOW
    assert not claims.is_debug
    assert claims.instance.startswith("insecure-")


async def test_nobody_trusts_it_unless_its_root_is_named(tmp_path: Path) -> None:
    document = await opened(tmp_path).evidence(b"r" * 64, None, b"")
    roots = trusted_roots([VendorRoot.AWS_NITRO], named={})
    with pytest.raises(RootRejectedError):
        authenticate(document, roots=roots, at=NOW)


async def test_registers_are_extended_like_real_ones(tmp_path: Path) -> None:
    platform = opened(tmp_path)
    document = await platform.evidence(b"", None, b"")
    image = hashlib.sha384(bytes(48) + hashlib.sha384(b"image").digest()).digest()
    registers = Document.from_bytes(document).pcrs
    assert registers[0] == image
    assert registers[15] == bytes(48)
    assert registers == platform.registers
    assert len(registers) == 16


async def test_an_absent_challenge_and_key_are_null(tmp_path: Path) -> None:
    claims = claims_of(platform := opened(tmp_path), await platform.evidence(b"r", None, b""))
    assert claims.nonce is None
    assert claims.public_key is None


async def test_the_root_stays_the_same_from_start_to_start(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    assert first.root_sha256 == second.root_sha256
    claims_of(first, await second.evidence(b"r", None, b"k"))
    assert opened(tmp_path / "other").root_sha256 != first.root_sha256


def test_the_root_has_a_telling_name() -> None:
    assert "INSECURE" in ROOT_NAME


def test_the_state_is_readable_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    old = os.umask(0)
    try:
        opened(folder)
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / STATE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [STATE]


def test_starts_at_the_same_time_agree_on_one_root(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        platforms = list(pool.map(opened, [tmp_path] * 8))
    assert len({platform.root_sha256 for platform in platforms}) == 1


def test_the_keys_of_the_upper_authorities_are_forgotten(tmp_path: Path) -> None:
    opened(tmp_path)
    assert set(json.loads((tmp_path / STATE).read_text())) == {"version", "bundle", "key"}


async def test_signers_live_as_long_as_awss_and_are_renewed_in_time(tmp_path: Path) -> None:
    clock = Clock()
    platform = opened(tmp_path, clock)
    first = await platform.evidence(b"r", None, b"k")
    claims = claims_of(platform, first)
    assert claims.last - NOW == timedelta(hours=3)
    with pytest.raises(CertificateTimeRejectedError):
        claims_of(platform, first, NOW + timedelta(hours=3, seconds=1))

    clock.now = NOW + timedelta(hours=1, minutes=59)
    again = await platform.evidence(b"r", None, b"k")
    clock.now = NOW + timedelta(hours=2)
    renewed = await platform.evidence(b"r", None, b"k")
    signers = [Document.from_bytes(document).certificate for document in (first, again, renewed)]
    assert signers[0] == signers[1] != signers[2]
    # Whatever is minted can be verified for an hour at least.
    claims_of(platform, again, NOW + timedelta(hours=2, minutes=59))
    claims_of(platform, renewed, NOW + timedelta(hours=4))


async def test_a_clock_that_went_back_gets_a_new_signer(tmp_path: Path) -> None:
    clock = Clock()
    platform = opened(tmp_path, clock)
    await platform.evidence(b"r", None, b"k")
    clock.now = NOW - timedelta(hours=1)
    with pytest.raises(CertificateTimeRejectedError):
        # The authorities themselves begin at the first start.
        claims_of(platform, await platform.evidence(b"r", None, b"k"), clock.now)
    clock.now = NOW + timedelta(seconds=1)
    claims_of(platform, await platform.evidence(b"r", None, b"k"), clock.now)


async def test_a_time_with_a_fraction_is_verified_at_its_second(tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC))
    platform = opened(tmp_path, clock)
    document = await platform.evidence(b"r", None, b"k")
    claims_of(platform, document, clock.now.replace(microsecond=0))
    claims_of(platform, document, clock.now)


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: b"",
        lambda state: state[:-10],
        lambda state: state.replace(b"adyton/insecure-platform/v1", b"adyton/insecure-platform/v2"),
        lambda state: json.dumps({**json.loads(state), "bundle": []}).encode(),
        lambda state: json.dumps({**json.loads(state), "bundle": ["AAAA"] * 4}).encode(),
        lambda state: json.dumps({**json.loads(state), "key": "key"}).encode(),
        lambda state: json.dumps({**json.loads(state), "more": 1}).encode(),
    ],
)
def test_a_damaged_state_says_what_to_do(tmp_path: Path, damage: object) -> None:
    opened(tmp_path)
    path = tmp_path / STATE
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(PlatformStateError, match="remove the file") as refused:
        opened(tmp_path)
    assert isinstance(refused.value, UnavailableError)


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlatformStateError, match="cannot be read or written"):
        opened(tmp_path / "file" / "state")
