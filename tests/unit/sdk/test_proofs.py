"""``verify`` on a notary's proof, from whatever form its parts are in."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.nitro import NOW
from tests.fakes.proofs import FakeNotary

from adyton import verify
from adyton.codec.javascript import canonical, loads
from adyton.errors import MalformedError
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
