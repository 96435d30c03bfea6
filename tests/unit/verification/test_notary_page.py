"""The examples of docs/notary.md are what the code makes of them."""

import json
import re
from pathlib import Path

import pytest
from tests.fakes.javascript import JavaScript

from adyton import verify
from adyton.ledger.checkpoint import NoteKey, open_checkpoint
from adyton.ledger.proof import Proof, proof_hash
from adyton.ledger.tree import Frontier, leaf_hash
from adyton.ledger.walk import EventKind, walk
from adyton.verification.notary_policy import NotaryPolicy

PAGE = (Path(__file__).parents[3] / "docs" / "notary.md").read_text()
BLOCKS = dict(re.findall(r"```[a-z]+ ([a-z]+)\n(.*?)```", PAGE, re.DOTALL))
FIRST, SECOND = (BLOCKS[name].strip().encode() for name in ("first", "second"))


def test_the_body_is_what_the_first_proof_signs() -> None:
    assert Proof.from_bytes(FIRST).body() == BLOCKS["body"].strip().encode()


def test_the_proofs_are_of_these_files_and_follow_each_other() -> None:
    assert verify(FIRST, file=b"hello\n").accepted
    assert verify(SECOND, file=b"world\n", previous=FIRST).accepted
    assert walk([json.loads(FIRST), json.loads(SECOND)]).is_complete


def test_the_real_package_accepts_them() -> None:
    with JavaScript() as javascript:
        assert javascript.verify(FIRST, b"hello\n") == (True, "")
        assert javascript.verify(SECOND, b"world\n") == (True, "")


def test_the_checkpoint_is_of_both_and_signed_by_that_key() -> None:
    key = NoteKey.from_text(BLOCKS["key"].strip())
    checkpoint = open_checkpoint(BLOCKS["checkpoint"].encode(), keys=[key])
    frontier = Frontier()
    for proof in (FIRST, SECOND):
        frontier.append(leaf_hash(proof_hash(proof)))
    assert (checkpoint.size, checkpoint.root) == (2, frontier.root())


def test_the_policy_is_one() -> None:
    policy = NotaryPolicy.from_bytes(BLOCKS["policy"].encode())
    assert {key.name for key in policy.log.keys} == {"notary.example/log"}


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_event_is_explained(kind: EventKind) -> None:
    assert f"| `{kind.value}` |" in PAGE
