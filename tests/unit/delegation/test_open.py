"""Opening a request: for this worker, under its header, in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adyton.crypto.hpke import OpeningKey, SealRejectedError, SealSuite, seal
from adyton.delegation.open import open_request
from adyton.errors import MalformedError
from adyton.model.proving import Scheme, SealedProving, Target, proving_info
from adyton.model.proving_job import ChonkJob, NoirCircuit, ProvingJob, UltraHonkJob, job_to_bytes
from adyton.model.sealing import FromTheFutureError, TooOldError
from adyton.sdk.sealing import sealed_proving

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = OpeningKey.generate()
JOB = UltraHonkJob(circuit=NoirCircuit(bytecode=b"b", key=None), solution=b"w")


def sealed(
    job: ProvingJob = JOB, target: Target = Target.EVM, suite: SealSuite = SealSuite.X25519
) -> SealedProving:
    return sealed_proving(
        job,
        target=target,
        nonce="n",
        audience="a",
        public_key=KEY.public[suite],
        suite=suite,
        now=NOW,
    )


@pytest.mark.parametrize("suite", SealSuite)
def test_a_request_opens_with_either_suite(suite: SealSuite) -> None:
    assert open_request(sealed(suite=suite), opener=KEY, now=NOW) == JOB


def test_a_chain_is_read_as_one() -> None:
    chain = ChonkJob(steps=b"steps")
    assert open_request(sealed(chain, Target.AZTEC), opener=KEY, now=NOW) == chain


@pytest.mark.parametrize(
    "change",
    [
        {"target": Target.EVM_NO_ZK},
        {"nonce": "m"},
        {"audience": "b"},
        {"issued_at": int(NOW.timestamp()) + 1},
    ],
)
def test_nothing_in_the_header_can_be_changed(change: dict[str, object]) -> None:
    request = sealed()
    changed = replace(request, header=replace(request.header, **change))  # type: ignore[arg-type]
    with pytest.raises(SealRejectedError):
        open_request(changed, opener=KEY, now=NOW)


def test_another_worker_cannot_open_it() -> None:
    with pytest.raises(SealRejectedError):
        open_request(sealed(), opener=OpeningKey.generate(), now=NOW)


def test_a_request_waits_a_day_and_no_longer() -> None:
    request = sealed()
    assert open_request(request, opener=KEY, now=NOW + timedelta(hours=24)) == JOB
    with pytest.raises(TooOldError):
        open_request(request, opener=KEY, now=NOW + timedelta(hours=24, seconds=1))
    assert open_request(request, opener=KEY, now=NOW - timedelta(minutes=1)) == JOB
    with pytest.raises(FromTheFutureError):
        open_request(request, opener=KEY, now=NOW - timedelta(seconds=61))


def test_a_job_of_another_scheme_is_malformed() -> None:
    request = sealed(ChonkJob(steps=b"steps"), Target.AZTEC)
    header = replace(request.header, scheme=Scheme.ULTRA_HONK, target=Target.EVM)
    box = seal(
        KEY.public[SealSuite.X25519],
        job_to_bytes(ChonkJob(steps=b"steps")),
        suite=SealSuite.X25519,
        info=proving_info(header),
    )
    with pytest.raises(MalformedError):
        open_request(SealedProving(header=header, box=box), opener=KEY, now=NOW)
