"""Having something proven: what is checked before a witness is sealed, and what afterwards."""

import asyncio
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.workshop import Workshop, fake_proof
from tests.unit.sdk.provers import (
    INPUTS,
    JOB,
    WITNESS,
    Prover,
    job,
    prove,
    with_proof,
)

from adyton.appraisal.policy import Policy
from adyton.crypto.hashing import sha256
from adyton.crypto.hpke import OpeningKey, SealSuite
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError
from adyton.model.proving import Target
from adyton.model.proving_receipt import ProvingReceipt
from adyton.sdk.proving import Mode, Progress, ProofRejectedError, UnattestedWarning
from adyton.sdk.worker import WorkerRejectedError

KINDS = ("blocking", "asynchronous")
# Texts that made another client take a key that nothing vouched for.
TEXTS = ("x is not a constructor", "cannot find node:crypto", "Failed to fetch", "NetworkError")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_a_proof_is_attested_before_and_verified_after(workshop: Workshop, kind: str) -> None:
    prover = Prover(workshop=workshop)

    proof = prove(kind, prover, workshop.policy(), nonce="mine", audience="you")

    assert proof.is_attested
    assert (proof.mode, proof.target, proof.public_inputs) == (Mode.ATTESTED, Target.EVM, INPUTS)
    assert proof.receipt is not None
    assert proof.receipt.statement.header.nonce == "mine"
    assert [line.partition("?")[0] for line in prover.requests] == [
        "GET /v1/attestation",
        "POST /v1/prove",
    ]
    assert prover.opened == [JOB]


def test_nothing_of_the_witness_is_in_what_is_sent(workshop: Workshop, kind: str) -> None:
    prover = Prover(workshop=workshop)

    prove(kind, prover, workshop.policy())

    assert not any(WITNESS in body for _path, body in prover.posted)


def test_a_policy_that_wants_fresh_evidence_gets_it_with_the_proof(
    workshop: Workshop, kind: str
) -> None:
    record = workshop.policy_json()
    record["evidence"]["challenge"] = "required"
    prover = Prover(workshop=workshop)

    proof = prove(kind, prover, Policy.from_json(record))

    assert proof.is_attested
    assert proof.receipt is not None
    assert len(proof.receipt.challenge) == 32


def fails(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise error

    return answer


def answers(status: int, body: bytes) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(status, content=body)


@pytest.mark.parametrize(
    "attestation",
    [
        *(pytest.param(answers(500, text.encode()), id=f"500: {text}") for text in TEXTS),
        *(
            pytest.param(
                answers(503, b'{"code":"worker-unavailable","detail":"' + text.encode() + b'"}'),
                id=f"503: {text}",
            )
            for text in TEXTS
        ),
        *(pytest.param(fails(httpx.ConnectError(text)), id=f"network: {text}") for text in TEXTS),
        *(pytest.param(fails(TypeError(text)), id=f"fault: {text}") for text in TEXTS),
        pytest.param(fails(httpx.ReadTimeout("slow")), id="too slow"),
        pytest.param(answers(404, b"{}"), id="no such path"),
        pytest.param(answers(200, b""), id="nothing"),
        pytest.param(answers(200, b"{}"), id="no manifest"),
        pytest.param(answers(200, b'{"mode":"standard","publicKey":"-----BEGIN"}'), id="a key"),
        pytest.param(answers(302, b""), id="elsewhere"),
    ],
)
def test_no_error_of_any_kind_makes_the_client_take_an_unverified_key(
    workshop: Workshop, kind: str, attestation: Callable[[httpx.Request], httpx.Response]
) -> None:
    prover = Prover(workshop=workshop)

    def gateway(request: httpx.Request) -> httpx.Response:
        return attestation(request) if request.method == "GET" else prover(request)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((AdytonError, TypeError)):
            prove(kind, gateway, workshop.policy())
    assert prover.posted == []


@pytest.mark.parametrize("fault", TEXTS)
def test_no_fault_in_our_own_checks_makes_the_client_take_an_unverified_key(
    workshop: Workshop, kind: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise TypeError(fault)

    monkeypatch.setattr("adyton.sdk.worker.verify_worker", broken)
    prover = Prover(workshop=workshop)

    with pytest.raises(TypeError, match=fault):
        prove(kind, prover, workshop.policy())
    assert prover.posted == []


def test_nothing_is_sealed_to_a_key_that_the_evidence_is_not_over(
    workshop: Workshop, kind: str
) -> None:
    public = OpeningKey.generate().public
    swapped = replace(
        workshop.manifest, sealing_keys={suite.label: public[suite] for suite in SealSuite}
    )
    prover = Prover(workshop=workshop, manifest=swapped)

    with pytest.raises(WorkerRejectedError):
        prove(kind, prover, workshop.policy())
    assert prover.posted == []


def test_evidence_of_a_moment_ago_is_no_evidence_for_this_challenge(
    workshop: Workshop, kind: str
) -> None:
    prover = Prover(workshop=workshop)
    prover.evidence = lambda _challenge: prover.mint(b"of somebody else")

    with pytest.raises(WorkerRejectedError):
        prove(kind, prover, workshop.policy())
    assert prover.posted == []


def test_the_mode_remote_warns_and_says_so_in_the_result(workshop: Workshop, kind: str) -> None:
    prover = Prover(workshop=workshop)

    with pytest.warns(UnattestedWarning, match="no evidence is checked") as caught:
        proof = prove(kind, prover, workshop.policy(), mode="remote")

    assert proof.mode is Mode.REMOTE
    assert not proof.is_attested
    assert Path(caught[0].filename).name == "provers.py"


def test_the_mode_remote_still_wants_a_proof_that_holds(workshop: Workshop, kind: str) -> None:
    prover = Prover(workshop=workshop, made=lambda receipt: replace(receipt, proof=b"\1" * 512))

    with pytest.warns(UnattestedWarning), pytest.raises(ProofRejectedError):
        prove(kind, prover, workshop.policy(), mode="remote")


def test_no_mode_takes_a_proof_of_another_program_than_the_key_is_of(
    workshop: Workshop, kind: str
) -> None:
    key = b"the key of a program that anybody can prove"

    def lying(receipt: ProvingReceipt) -> ProvingReceipt:
        proof = fake_proof(key, receipt.public_inputs)
        other = replace(receipt, proof=proof, verification_key=key)
        return with_proof(other, workshop, proof=sha256(proof), verification_key=sha256(key))

    prover = Prover(workshop=workshop, made=lying)
    with pytest.warns(UnattestedWarning), pytest.raises(ProofRejectedError, match="key"):
        prove(kind, prover, workshop.policy(), mode="remote")
    with pytest.raises(ProofRejectedError, match="key"):
        prove(kind, prover, workshop.policy())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"sealed": sha256(b"another request")}, id="another request"),
        pytest.param({"circuit": sha256(b"another program")}, id="another program"),
        pytest.param({"time": 1_700_000_000}, id="long ago"),
        pytest.param({"manifest": sha256(b"another worker")}, id="another worker"),
        pytest.param({"proof": sha256(b"another proof")}, id="another proof"),
    ],
)
def test_a_receipt_that_does_not_hold_is_no_proof(
    workshop: Workshop, kind: str, changes: dict[str, Any]
) -> None:
    def lying(receipt: ProvingReceipt) -> ProvingReceipt:
        return with_proof(receipt, workshop, **changes)

    with pytest.raises(ProofRejectedError):
        prove(kind, Prover(workshop=workshop, made=lying), workshop.policy())


@pytest.mark.parametrize("part", ["signature", "proof", "public_inputs", "verification_key"])
def test_what_the_host_changed_is_no_proof(workshop: Workshop, kind: str, part: str) -> None:
    others: dict[str, Any] = {
        "signature": b"\1" * 64,
        "proof": b"\1" * 512,
        "public_inputs": (9, 9, 9),
        "verification_key": b"another key",
    }

    def changed(receipt: ProvingReceipt) -> ProvingReceipt:
        return replace(receipt, **{part: others[part]})

    with pytest.raises(ProofRejectedError):
        prove(kind, Prover(workshop=workshop, made=changed), workshop.policy())


def test_a_policy_names_the_prover_that_may_see_witnesses(workshop: Workshop, kind: str) -> None:
    record = workshop.policy_json()
    record["proving"]["provers"] = [sha256(b"another bb").hex()]

    with pytest.raises(ProofRejectedError, match="prover"):
        prove(kind, Prover(workshop=workshop), Policy.from_json(record))


@pytest.mark.parametrize(
    ("status", "code", "family"),
    [
        (400, "witness-malformed", MalformedError),
        (403, "circuit-too-large", RejectedError),
        (429, "too-many-waiting", UnavailableError),
        (503, "reference-string-missing", UnavailableError),
    ],
)
def test_an_error_keeps_its_family_and_code(
    workshop: Workshop, kind: str, *, status: int, code: str, family: type[AdytonError]
) -> None:
    answer = httpx.Response(status, json={"code": code, "detail": "why"})

    with pytest.raises(family) as caught:
        prove(kind, Prover(workshop=workshop, answers=[answer]), workshop.policy())
    assert getattr(caught.value, "code", "") == code


def test_a_job_is_watched_to_its_end(workshop: Workshop, kind: str) -> None:
    prover = Prover(workshop=workshop)
    prover.progress = [
        job("queued", place=1),
        job("running", phase="proving"),
        httpx.ConnectError("the gateway starts anew"),
        httpx.Response(503, json={"code": "store-unavailable", "detail": "not now"}),
        job("done"),
    ]
    seen: list[Progress] = []

    proof = prove(kind, prover, workshop.policy(), watch=seen.append)

    assert proof.is_attested
    assert [(each.state, each.place, each.phase) for each in seen] == [
        ("queued", 2, None),
        ("queued", 1, None),
        ("running", None, "proving"),
        ("done", None, None),
    ]
    assert prover.requests[-1].endswith("/receipt")


@pytest.mark.parametrize("give_up", [KeyboardInterrupt, asyncio.CancelledError])
def test_who_gives_up_has_his_job_cancelled(
    workshop: Workshop, kind: str, give_up: type[BaseException]
) -> None:
    prover = Prover(workshop=workshop)

    def watch(_progress: Progress) -> None:
        raise give_up

    with pytest.raises(give_up):
        prove(kind, prover, workshop.policy(), watch=watch)
    assert prover.requests[-1] == f"DELETE /v1/jobs/{'0' * 32}"


def test_a_worker_that_was_started_anew_is_judged_again(workshop: Workshop, kind: str) -> None:
    refused = httpx.Response(403, json={"code": "seal-rejected", "detail": "another key"})
    prover = Prover(workshop=workshop, answers=[refused])

    with pytest.raises(RejectedError):
        prove(kind, prover, workshop.policy())
    prove(kind, prover, workshop.policy())

    assert sum("attestation" in line for line in prover.requests) == 2


@pytest.mark.parametrize("asked", [{"mode": "attested?"}, {"target": "svm"}])
def test_an_unknown_mode_or_target_blames_the_caller(
    workshop: Workshop, kind: str, asked: dict[str, str]
) -> None:
    prover = Prover(workshop=workshop)

    with pytest.raises(ValueError, match="is not a valid"):
        prove(kind, prover, workshop.policy(), **asked)
    assert prover.requests == []
