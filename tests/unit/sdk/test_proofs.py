"""``verify`` on a notary's proof, from whatever form its parts are in."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.amd import FakeAmd
from tests.fakes.nitro import NOW, TIMESTAMP
from tests.fakes.proofs import FakeNotary

from adyton import verify
from adyton.codec.javascript import canonical, loads
from adyton.errors import MalformedError
from adyton.evidence.collateral import Collateral
from adyton.ledger.epoch import epoch_binding
from adyton.model.verdict import LayerName, Status
from adyton.sdk.files import FileUnreadableError
from adyton.sdk.proofs import digest_of, find_proof
from adyton.verification.notary_policy import OPEN

DATA = b"what is committed"
NOTARY = FakeNotary()
NOTARY.commit(b"before")
PROOF = NOTARY.commit(DATA)


def test_a_proof_is_verified_from_files(tmp_path: Path) -> None:
    files = {
        "proof.json": PROOF,
        "file": DATA,
        "place.tlog-proof": NOTARY.place(2).to_bytes(),
        "previous.json": NOTARY.proofs[0],
        "policy.yaml": b"requireEnforcement: stub\n",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    verdict = verify(
        tmp_path / "proof.json",
        policy=tmp_path / "policy.yaml",
        file=tmp_path / "file",
        checkpoint=tmp_path / "place.tlog-proof",
        previous=tmp_path / "previous.json",
        at=NOW,
    )
    assert verdict.accepted, verdict.reasons
    assert [layer.status for layer in verdict.layers] == [
        Status.NOT_REQUIRED,
        Status.PASSED,
        Status.PASSED,
        Status.PASSED,
    ]


@pytest.mark.parametrize("form", [PROOF, json.loads(PROOF), json.dumps(json.loads(PROOF)).encode()])
def test_a_proof_is_verified_in_each_form(form: Any) -> None:
    assert verify(form, file=DATA).accepted
    assert verify(form, policy=OPEN).accepted
    assert not verify(form, file=b"other").accepted


def test_what_only_looks_like_a_proof_has_a_verdict() -> None:
    document = json.loads(PROOF)
    del document["version"]
    verdict = verify(document)
    assert not verdict.accepted
    assert verdict.layer(LayerName.COMMIT).parts[0].status is Status.FAILED


def test_a_receipt_is_no_proof_and_needs_a_policy() -> None:
    assert find_proof({"receipt": {}}) is None
    assert find_proof(b"[]") is None
    with pytest.raises(ValueError, match="policy"):
        verify({"receipt": {}})


def test_a_checkpoint_alone_shows_nothing() -> None:
    with pytest.raises(MalformedError, match="log prove"):
        verify(PROOF, checkpoint=NOTARY.checkpoint())


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError):
        verify(PROOF, file=tmp_path / "missing")


def test_a_predecessor_that_is_none_is_malformed() -> None:
    with pytest.raises(MalformedError):
        verify(PROOF, previous=b"{}")


def test_a_large_file_is_hashed_in_parts(tmp_path: Path) -> None:
    path, told = tmp_path / "large", list[int]()
    path.write_bytes(bytes(3_000_000))
    assert digest_of(path, told=told.append) == digest_of(bytes(3_000_000))
    assert len(told) == 3
    assert sum(told) == 3_000_000


def test_a_proof_is_the_same_after_it_was_read_and_written() -> None:
    assert canonical(loads(PROOF, limit_bytes=10**6)) == PROOF


def test_evidence_with_collateral_is_judged() -> None:
    vendor = FakeAmd()
    parts = vendor.collateral()
    key = NOTARY.key.public
    template = replace(NOTARY.template, attestation_format="amd-sev-snp")
    binding = epoch_binding(key, NOTARY.epoch).ljust(64, b"\0")
    report = vendor.report(report_data=binding)
    body = template.body(digest=bytes(32), counter=1, nonce=bytes(32), time_ms=TIMESTAMP)
    proof = template.proof(body=body, signature=NOTARY.key.sign(body), report=report)
    policy: Any = {
        "version": "adyton/policy/v1",
        "roots": dict.fromkeys(vendor.roots, next(iter(vendor.roots.values())).hex()),
        "platforms": {
            "insecure": {"debug": "refused", "tcb": "not-required", "measurements": "not-required"}
        },
        "evidence": {"maximum_age_seconds": "not-required", "challenge": "not-required"},
    }
    without = verify(proof, policy=policy, at=NOW)
    assert {finding.code for finding in without.reasons} >= {"collateral-missing"}
    found = verify(proof, policy=policy, at=NOW, collateral=Collateral(amd=parts))
    codes = {item.code for layer in found.layers for part in layer.parts for item in part.findings}
    assert "bound-to-epoch" in codes
