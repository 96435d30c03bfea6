"""Aztec's chains of circuits through a worker, whose prover is a script that speaks for ``bb``."""

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
from tests.fakes.chonk import KEY, write_chonk
from tests.integration.delegation.conftest import calling, worker_process

from adyton.crypto.hashing import sha256
from adyton.model.proving import Scheme, Target
from adyton.model.proving_job import ChonkJob

PROGRAMS = [b"program %d" % number for number in range(4)]
STEPS: bytes = msgpack.packb(
    [
        {
            "bytecode": gzip.compress(program),
            "witness": gzip.compress(b"witness"),
            "vk": b"key",
            "functionName": "f",
        }
        for program in PROGRAMS
    ]
)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="adyton-") as name:
        yield Path(name)


async def test_a_chain_has_a_receipt_and_its_proof_aztecs_form(folder: Path) -> None:
    with worker_process(folder, ADYTON_BB=str(write_chonk(folder / "bb"))):
        async with calling(folder) as caller:
            receipt = await caller.prove(ChonkJob(steps=STEPS), target=Target.AZTEC)
            assert receipt.statement.header.scheme is Scheme.CHONK
            assert receipt.statement.circuit == sha256(b"".join(map(sha256, PROGRAMS)))
            assert receipt.statement.verification_key == sha256(KEY)
            assert receipt.public_inputs == ()
            assert len(receipt.proof) == 4 + 32 * int.from_bytes(receipt.proof[:4])
            assert caller.events == ["opened", "proving", "attesting"]
