"""Proofs for others: what comes back holds, and names what it was made for."""

import gzip
import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.integration.delegation.conftest import (
    SOON,
    Caller,
    balance_job,
    bytecode,
    calling,
    inputs,
    key,
    policy,
    witness,
    worker_process,
)
from tests.integration.flow.machinery import reference_string

from adyton.adapters.verifier import OfflineVerifier
from adyton.cli.exits import NO, YES
from adyton.cli.verifying import Verifying, run_verify
from adyton.crypto.hashing import sha256
from adyton.model.proving import SealedProving, Target
from adyton.model.proving_job import NoirCircuit, RegisteredCircuit
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.verdict import Verdict
from adyton.verification.delegated import ProvingExpectation

PROGRAM = sha256(gzip.decompress(bytecode()))
ULTRA_HONK = [target for target in Target if target is not Target.AZTEC]


def judged(
    verifier: OfflineVerifier, state: Path, receipt: ProvingReceipt, **expected: Any
) -> Verdict:
    return verifier.verify_proving(
        receipt,
        policy=policy(state),
        expectation=ProvingExpectation(
            **{"nonce": receipt.statement.header.nonce, **expected},
        ),
        at=datetime.now(UTC),
    )


async def test_the_statement_names_request_circuit_key_and_proof(caller: Caller) -> None:
    sealed = caller.seal(balance_job(), nonce="n", audience="a")
    receipt = await caller.send(sealed, challenge=b"fresh")
    statement = receipt.statement
    assert statement.header == SealedProving.from_bytes(sealed).header
    assert (statement.header.nonce, statement.header.audience) == ("n", "a")
    assert statement.sealed == sha256(sealed)
    assert statement.circuit == PROGRAM
    assert statement.verification_key == sha256(receipt.verification_key) == sha256(key())
    assert statement.proof == sha256(receipt.proof)
    assert statement.manifest == sha256(caller.manifest.to_bytes())
    assert receipt.public_inputs[-1] == 1
    assert receipt.challenge == b"fresh"
    assert caller.events == ["opened", "solving", "proving", "attesting"]


async def test_a_worker_makes_the_points_of_the_second_curve_before_it_has_a_witness() -> None:
    with tempfile.TemporaryDirectory(prefix="adyton-") as name:
        folder, points = Path(name), Path(name) / "points"
        points.mkdir()
        (points / "bn254_g1.dat").symlink_to(reference_string() / "bn254_g1.dat")
        with worker_process(folder, CRS_PATH=str(points)):
            async with calling(folder) as caller:
                assert (points / "grumpkin_g1_v2.flat.dat").stat().st_size == 2**15 * 64
                job = balance_job(circuit=NoirCircuit(bytecode=bytecode(), key=None))
                receipt = await caller.prove(job, target=Target.NOIR_ROLLUP)
                assert receipt.public_inputs[-1] == 1


@pytest.mark.parametrize("target", ULTRA_HONK)
async def test_each_target_is_proven_and_verified(
    caller: Caller, state: Path, verifier: OfflineVerifier, target: Target
) -> None:
    job = balance_job(circuit=NoirCircuit(bytecode=bytecode(), key=None), solution=witness())
    receipt = await caller.prove(job, target=target)
    assert judged(verifier, state, receipt, circuit=PROGRAM).accepted
    others = [other for other in ULTRA_HONK if other is not target]
    for other in others:
        assert not verifier._verifier().verify_for(
            other,
            verification_key=receipt.verification_key,
            public_inputs=receipt.public_inputs,
            proof=receipt.proof,
        )


async def test_a_witness_is_taken_in_gzip_or_not(caller: Caller) -> None:
    for solution in (witness(), gzip.compress(witness())):
        receipt = await caller.prove(balance_job(solution=solution))
        assert receipt.public_inputs[-1] == 1
    assert "solving" not in caller.events


async def test_a_registered_circuit_needs_no_program(caller: Caller) -> None:
    answer = await caller.link.call(
        "register-circuit", within=SOON, bytecode=bytecode(), target="evm"
    )
    assert (answer["circuit"], answer["verification_key"]) == (PROGRAM, key())
    assert answer["gates"] == 4096
    job = balance_job(circuit=RegisteredCircuit(digest=PROGRAM))
    receipt = await caller.prove(job)
    assert receipt.statement.circuit == PROGRAM
    assert len(caller.seal(job)) < len(bytecode())


async def test_a_verdict_says_what_is_wrong_with_a_receipt(
    caller: Caller, state: Path, verifier: OfflineVerifier
) -> None:
    receipt = await caller.prove(balance_job())
    assert judged(verifier, state, receipt).accepted
    statement, flipped = receipt.statement, bytes([receipt.proof[0] ^ 1]) + receipt.proof[1:]
    for broken, code in (
        (replace(receipt, proof=flipped), "digest-mismatch"),
        (replace(receipt, public_inputs=(*receipt.public_inputs[:-1], 0)), "proof-rejected"),
        (replace(receipt, statement=replace(statement, circuit=bytes(32))), "signature-rejected"),
        (replace(receipt, challenge=b"other"), "report-data-mismatch"),
    ):
        verdict = judged(verifier, state, broken)
        assert not verdict.accepted
        assert code in {reason.code for reason in verdict.reasons}
    expected: dict[str, Any]
    for expected, code in (
        ({"nonce": "another"}, "nonce-mismatch"),
        ({"nonce": None}, "nonce-missing"),
        ({"circuit": bytes(32)}, "circuit-mismatch"),
        ({"public_inputs": (1,)}, "public-inputs-mismatch"),
        ({"challenge": b"mine"}, "challenge-mismatch"),
        ({"request": SealedProving(header=statement.header, box=b"x")}, "request-mismatch"),
    ):
        verdict = judged(verifier, state, receipt, **expected)
        assert not verdict.accepted
        assert code in {reason.code for reason in verdict.reasons}


async def test_a_policy_names_the_prover_that_may_see_a_witness(
    caller: Caller, state: Path, verifier: OfflineVerifier
) -> None:
    receipt = await caller.prove(balance_job())
    expectation = ProvingExpectation(nonce=receipt.statement.header.nonce)
    for prover, accepted in ((caller.manifest.software.prover.hex(), True), ("ab" * 32, False)):
        verdict = verifier.verify_proving(
            receipt,
            policy=policy(state, provers=[prover]),
            expectation=expectation,
            at=datetime.now(UTC),
        )
        assert verdict.accepted is accepted
    assert [reason.code for reason in verdict.reasons] == ["prover-rejected"]


async def test_inputs_may_be_numbers_or_text(caller: Caller) -> None:
    receipt = await caller.prove(balance_job(solution=inputs(lower="0x2710", currency="840")))
    assert receipt.public_inputs[5] == 10_000


async def test_the_command_line_judges_a_kept_receipt(
    caller: Caller, state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = await caller.prove(balance_job(), nonce="n")
    kept, accepted = tmp_path / "receipt.json", tmp_path / "policy.json"
    kept.write_bytes(receipt.to_bytes())
    accepted.write_text(json.dumps(policy(state).to_json()))

    def run(nonce: str | None) -> int:
        return run_verify(
            Verifying(
                file=kept,
                policy=accepted,
                about=None,
                checkpoint=None,
                previous=None,
                nonce=nonce,
                at=None,
                challenge=None,
                collateral=None,
                as_json=False,
            )
        )

    assert (run("n"), run("m"), run(None)) == (YES, NO, NO)
    shown = capsys.readouterr().out
    assert receipt.statement.circuit.hex() in shown
    assert "another nonce than expected (nonce-mismatch)" in shown
