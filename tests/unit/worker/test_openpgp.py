"""The worker's OpenPGP key, and that it vouches for nothing but its own."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.fakes.gramine import FakeGramine
from tests.fakes.intel import FakeIntel

from adyton.adapters.gramine import GraminePlatform
from adyton.adapters.insecure import InsecurePlatform
from adyton.adapters.installation import KNOWN_BB_SHA256
from adyton.adapters.openpgp import open_message
from adyton.adapters.platforms import PlatformName
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.nitro.layout import Document
from adyton.worker.openpgp import OpenPgpIdentity

pysequoia = pytest.importorskip("pysequoia")

NOW = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
PROVER = bytes.fromhex(min(KNOWN_BB_SHA256))


class Moment:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def nitro(folder: Path, clock: Moment, prover: bytes = PROVER) -> OpenPgpIdentity:
    """A worker whose documents are in Nitro's format, under a root of its own."""
    platform = InsecurePlatform.open(folder, measured={0: b"image"}, clock=clock)
    return OpenPgpIdentity(name=PlatformName.NITRO, platform=platform, prover=prover, clock=clock)


async def test_a_document_carries_the_armored_key_and_the_digest_of_the_prover(
    tmp_path: Path,
) -> None:
    described = await nitro(tmp_path, Moment()).describe()

    document = Document.from_bytes(described["evidence"])
    assert described["mode"] == "nitro"
    assert document.public_key == described["key"].encode()
    assert len(described["key"]) <= 1024
    assert json.loads(document.user_data or b"") == {
        "versions": [{"version": "5.0.0", "sha256": PROVER.hex()}]
    }


async def test_a_quote_is_over_the_digest_of_the_key(tmp_path: Path) -> None:
    with FakeGramine(tmp_path, FakeIntel()):
        platform = GraminePlatform.open(tmp_path)
        identity = OpenPgpIdentity(
            name=PlatformName.SGX, platform=platform, prover=PROVER, clock=Moment()
        )
        described = await identity.describe()

    report = EnclaveReport.from_bytes(Quote.from_bytes(described["evidence"]).body)
    assert described["mode"] == "sgx"
    assert report.report_data == hashlib.sha256(described["key"].encode()).digest() + bytes(32)


async def test_without_hardware_nothing_vouches_and_the_mode_says_so(tmp_path: Path) -> None:
    clock = Moment()
    platform = InsecurePlatform.open(tmp_path, measured={0: b"image"}, clock=clock)
    identity = OpenPgpIdentity(
        name=PlatformName.INSECURE, platform=platform, prover=PROVER, clock=clock
    )

    described = await identity.describe()

    assert (described["mode"], described["evidence"]) == ("standard", b"")


async def test_messages_to_the_published_key_open_with_the_worker_s_secret(tmp_path: Path) -> None:
    identity = nitro(tmp_path, Moment())
    recipient = pysequoia.Cert.from_bytes((await identity.describe())["key"].encode())

    message = pysequoia.encrypt(b"steps", recipients=[recipient], armor=False)

    assert open_message(message, key=identity.secret, limit_bytes=1000) == b"steps"


async def test_evidence_is_renewed_before_clients_call_it_old(tmp_path: Path) -> None:
    clock = Moment()
    identity = nitro(tmp_path, clock)
    first = await identity.describe()

    clock.now += timedelta(minutes=1)
    again = await identity.describe()
    clock.now += timedelta(minutes=2)
    later = await identity.describe()

    assert first["evidence"] == again["evidence"] != later["evidence"]
    assert first["key"] == later["key"]


async def test_a_prover_that_nobody_knows_is_no_version(tmp_path: Path) -> None:
    described = await nitro(tmp_path, Moment(), prover=bytes(32)).describe()

    assert described["versions"] == {}
