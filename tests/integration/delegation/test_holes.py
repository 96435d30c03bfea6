"""What a host, or a caller, could do to others' proofs: each is closed, and shown to be."""

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from tests.integration.delegation.conftest import (
    Caller,
    balance_job,
    bytecode,
    calling,
    inputs,
    policy,
    worker_process,
)

from adyton.adapters.barretenberg import pin_program
from adyton.adapters.installation import find_installation
from adyton.adapters.linked_errors import LinkedError
from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.document import Choice
from adyton.crypto.binding import report_data
from adyton.evidence.nitro.layout import Document
from adyton.model.proving import SealedProving, Target
from adyton.model.proving_job import NoirCircuit
from adyton.verification.delegated import ProvingExpectation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
FOLDERS = [Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path.cwd()]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="adyton-") as name:
        yield Path(name)


def provers(worker: psutil.Process) -> list[psutil.Process]:
    """Return every ``bb`` of a worker."""
    found = []
    for child in worker.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.cmdline()[1:3] == ["msgpack", "run"]:
                found.append(child)
    return found


def pids(worker: psutil.Process) -> set[int]:
    return {prover.pid for prover in provers(worker)}


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_the_worker_quotes_nothing_that_it_is_handed(caller: Caller) -> None:
    manifest = caller.manifest.to_bytes()
    for challenge in (b"", b"x" * 64):
        # Whatever else a host sends along, as it could to have its own key vouched for.
        answer = await caller.link.call(
            "attest",
            challenge=challenge,
            report_data=b"r" * 64,
            user_data=b"u" * 64,
            public_key=b"k" * 32,
            manifest=b"{}",
        )
        document = Document.from_bytes(answer["evidence"])
        assert document.user_data == report_data(manifest, challenge)
        assert document.public_key == caller.manifest.signing_key
    with pytest.raises(LinkedError) as caught:
        await caller.link.call("attest", challenge=b"x" * 65)
    assert caught.value.code == "challenge-malformed"


async def test_a_challenge_is_in_the_evidence_of_the_answer(
    caller: Caller, state: Path, verifier: OfflineVerifier
) -> None:
    challenge = secrets.token_bytes(32)
    receipt = await caller.send(caller.seal(balance_job()), challenge=challenge)
    strict = policy(state)
    strict = replace(strict, evidence=replace(strict.evidence, challenge=Choice.REQUIRED))
    for asked, accepted in ((challenge, True), (secrets.token_bytes(32), False), (None, False)):
        verdict = verifier.verify_proving(
            receipt,
            policy=strict,
            expectation=ProvingExpectation(nonce=receipt.statement.header.nonce, challenge=asked),
            at=datetime.now(UTC),
        )
        assert verdict.accepted is accepted


async def test_a_host_that_swaps_answers_or_headers_is_found_out(
    caller: Caller, state: Path, verifier: OfflineVerifier
) -> None:
    mine = caller.seal(balance_job(), nonce="mine")
    theirs = await caller.send(caller.seal(balance_job(), nonce="mine"))
    verdict = verifier.verify_proving(
        theirs,
        policy=policy(state),
        expectation=ProvingExpectation(request=SealedProving.from_bytes(mine)),
        at=datetime.now(UTC),
    )
    assert [reason.code for reason in verdict.reasons] == ["request-mismatch"]


async def test_a_prover_exchanged_after_the_start_is_never_run(folder: Path) -> None:
    original = find_installation(os.environ, home=Path.home()).require_bb()
    copy = folder / "bb"
    shutil.copy(original, copy)
    with worker_process(folder, ADYTON_BB=str(copy)) as process:
        async with calling(folder) as caller:
            digest = hashlib.sha256(original.read_bytes()).digest()
            assert caller.manifest.software.prover == digest
            # In place and by a new file: either way it is not what was hashed.
            copy.write_bytes(b"#!/bin/sh\nexit 1\n")
            copy.unlink()
            copy.write_bytes(b"#!/bin/sh\nexit 1\n")
            for _ in range(3):
                receipt = await caller.prove(balance_job())
                assert receipt.manifest.software.prover == digest
            worker = psutil.Process(process.pid)
            await until(lambda: bool(provers(worker)))
            programs = [Path(f"/proc/{prover.pid}/exe") for prover in provers(worker)]
            assert {hashlib.sha256(each.read_bytes()).digest() for each in programs} == {digest}


def test_the_pinned_program_cannot_be_written_to(folder: Path) -> None:
    original = folder / "bb"
    original.write_bytes(b"#!/bin/sh\n")
    pinned = pin_program(original)
    assert pinned.descriptor is not None
    try:
        assert pinned.sha256 == hashlib.sha256(b"#!/bin/sh\n").digest()
        for change in (
            lambda: os.pwrite(pinned.descriptor, b"x", 0),
            lambda: os.ftruncate(pinned.descriptor, 0),
            lambda: os.ftruncate(pinned.descriptor, 100),
        ):
            with pytest.raises(PermissionError):
                change()
        assert pinned.path.read_bytes() == b"#!/bin/sh\n"
    finally:
        os.close(pinned.descriptor)


async def busy_provers(worker: psutil.Process) -> set[int]:
    """Return those that compute at this moment."""
    before = {prover.pid: computed(prover) for prover in provers(worker)}
    await asyncio.sleep(0.1)
    return {
        prover.pid
        for prover in provers(worker)
        if computed(prover) > before.get(prover.pid, 0) + 0.01
    }


def computed(process: psutil.Process) -> float:
    """Return the seconds of a processor that it has had; 0 for one that has gone."""
    try:
        seconds: float = process.cpu_times().user
    except psutil.NoSuchProcess:
        return 0
    return seconds


async def test_a_caller_that_hangs_up_has_its_prover_stopped(folder: Path) -> None:
    # Pooled: what serves questions lives on, and what proves for others must not.
    with worker_process(folder, ADYTON_ISOLATION="pooled") as process:
        worker = psutil.Process(process.pid)
        async with calling(folder) as caller:
            # One that made a proof is gone when that is answered, and no other one.
            before = pids(worker)
            assert (await caller.prove(balance_job())).public_inputs[-1] == 1
            assert len(before - pids(worker)) == 1
            caller.events.clear()
            job = balance_job(circuit=NoirCircuit(bytecode=bytecode(), key=None))
            sealed = caller.seal(job, target=Target.NOIR_ROLLUP)
            call = asyncio.create_task(caller.send(sealed))
            await until(lambda: "proving" in caller.events)
            busy = await busy_provers(worker)
            assert busy
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await until(lambda: not busy & pids(worker))
            # Nothing was answered: the same request is taken again.
            call = asyncio.create_task(caller.send(sealed))
            await until(lambda: caller.events.count("proving") > 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call


async def test_nothing_of_a_witness_is_left_in_any_file(folder: Path) -> None:
    marker = secrets.randbits(200)
    text = [f"{marker}".encode(), f"{marker:x}".encode(), marker.to_bytes(25)]
    with worker_process(folder) as process:
        async with calling(folder) as caller:
            good = balance_job(solution=inputs(salt=str(marker)))
            assert (await caller.prove(good)).public_inputs[-1] == 1
            for broken in (inputs(salt=str(marker), count=17), inputs(salt=f"{marker}.5")):
                with pytest.raises(LinkedError) as caught:
                    await caller.prove(balance_job(solution=broken))
                assert str(marker) not in str(caught.value)
            since = time.time() - 60
            left = [path for path in _files(folder, since) if _holds(path, text)]
            assert left == []
            process.terminate()
            _, log = await asyncio.to_thread(process.communicate)
            assert not any(each in log for each in text)


def _files(folder: Path, since: float) -> Iterator[Path]:
    for place in [folder, *FOLDERS]:
        for parent, _folders, names in os.walk(place):
            for name in names:
                with contextlib.suppress(OSError):
                    found = os.lstat(os.path.join(parent, name))  # noqa: PTH118  # many thousands
                    if stat.S_ISREG(found.st_mode) and found.st_mtime > since:
                        yield Path(parent, name)


def _holds(path: Path, marks: list[bytes]) -> bool:
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return any(mark in data for mark in marks)
