"""The commit layer: one proof of a notary by itself, as npm's ``provenclave`` verifies it.

Both say the same about structure, digest, key, signature and trust anchors. This one goes on where
a part fails, so that whoever reads the verdict sees all that is wrong at once.
"""

import hmac
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from adyton.appraisal.document import Choice
from adyton.codec.javascript import Value
from adyton.codec.text import exact_base64, from_base64
from adyton.crypto.ed25519 import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, check_ed25519
from adyton.errors import AdytonError, MalformedError
from adyton.ledger.proof import DIGEST_SIZE, MAX_PROOF_BYTES, Proof
from adyton.model.verdict import (
    Finding,
    Layer,
    LayerName,
    Part,
    Status,
    failed,
    finding,
    not_evaluated,
    not_required,
    passed,
)
from adyton.verification.notary_policy import NotaryPolicy, TrustAnchors, big_integer

__all__ = ["COMMIT_PARTS", "Read", "commit_layer", "passed_checks", "read_proof"]

# A proof, or why the document is none.
Read: TypeAlias = Proof | MalformedError

COMMIT_PARTS: Final = ("structure", "digest", "key", "signature", "policy")
_PASSED: Final = {name: passed(name) for name in COMMIT_PARTS}
_ESTABLISHES: Final = (
    "whoever holds this key signed this digest, with this number and, by their own clock, at this"
    " time"
)
_DOES_NOT_ESTABLISH: Final = (
    "who made the bytes, or that they are true; that the key is inside of hardware, which only the"
    " evidence shows; that there is no second chain under this key, which only a log shows"
)


def read_proof(document: Value) -> Read:
    """Return the proof in ``document``, or why there is none."""
    try:
        return Proof.from_json(document)
    except MalformedError as error:
        return error


def passed_checks(layer: Layer) -> list[str]:
    """Return what passed of a commit layer, as a commit service answers it."""
    return [f"{part.name}: ok" for part in layer.parts if part.status is Status.PASSED]


def commit_layer(read: Read, *, artifact: bytes | None, policy: NotaryPolicy) -> Layer:
    """Return the commit layer; ``artifact`` is SHA-256 of the bytes, ``None`` where there are none.

    1. *structure*: the document is a proof, as ``Proof.from_json`` has it;
    2. *digest*: it is of these bytes;
    3. *key*: its key is one;
    4. *signature*: that key signed digest, commit, enforcement, measurement and the evidence's
       format;
    5. *policy*: it satisfies the trust anchors, beginning with whose key it is.
    """
    parts = (
        # Step 1
        failed("structure", Finding.from_error(read))
        if isinstance(read, MalformedError)
        else _PASSED["structure"],
        # Step 2
        _digest(read, artifact, policy),
        # Steps 3 and 4
        _on_proof("key", read, _key),
        _on_proof("signature", read, _signature),
        # Step 5
        _on_proof("policy", read, lambda proof: _policy(proof, policy.signer)),
    )
    return Layer(
        name=LayerName.COMMIT,
        parts=parts,
        establishes=_ESTABLISHES,
        does_not_establish=_DOES_NOT_ESTABLISH,
    )


def _on_proof(name: str, read: Read, judge: Callable[[Proof], Part]) -> Part:
    if isinstance(read, MalformedError):
        return not_evaluated(name, "not-a-proof", "the document is no proof, so it says nothing")
    try:
        return judge(read)
    except AdytonError as error:
        return failed(name, Finding.from_error(error))


def _digest(read: Read, artifact: bytes | None, policy: NotaryPolicy) -> Part:
    if artifact is None and policy.artifact is Choice.REQUIRED:
        text = "the policy wants the bytes compared, and the verifier was not given them"
        return not_evaluated("digest", "artifact-missing", text)

    def judge(proof: Proof) -> Part:
        if artifact is None:
            text = "no bytes were given: the proof is about whatever has this digest"
            return not_required("digest", "artifact-not-required", text)
        digest = from_base64(proof.digest_text, "artifact.digestB64", limit_bytes=MAX_PROOF_BYTES)
        if len(digest) != DIGEST_SIZE or not hmac.compare_digest(digest, artifact):
            text = "the proof is about other bytes than those that were given"
            return failed("digest", finding("artifact-mismatch", text))
        return _PASSED["digest"]

    return _on_proof("digest", read, judge)


def _key(proof: Proof) -> Part:
    _read_key(proof.public_key_text)
    return _PASSED["key"]


@lru_cache(maxsize=64)
def _read_key(text: str) -> bytes:
    # A chain has thousands of proofs under one key.
    return exact_base64(text, "signer.publicKeyB64", size=PUBLIC_KEY_SIZE)


def _signature(proof: Proof) -> Part:
    key = _read_key(proof.public_key_text)
    signature = exact_base64(proof.signature_text, "signer.signatureB64", size=SIGNATURE_SIZE)
    check_ed25519(key, proof.body(), signature)
    return _PASSED["signature"]


def _policy(proof: Proof, anchors: TrustAnchors) -> Part:
    if anchors == _NO_ANCHORS:
        return _NOBODY_ASKED
    against = [*_signer(proof, anchors), *_evidence(proof, anchors), *_commit(proof, anchors)]
    return failed("policy", *against) if against else _PASSED["policy"]


_NO_ANCHORS: Final = TrustAnchors()
_NOBODY_ASKED: Final = not_required(
    "policy",
    "signer-not-required",
    "no policy says whose proofs are accepted: anybody can make a key",
)


def _signer(proof: Proof, anchors: TrustAnchors) -> Iterator[Finding]:
    if anchors.enforcement is not None and proof.enforcement is not anchors.enforcement:
        text = f"the proof says {proof.enforcement}, the policy wants {anchors.enforcement}"
        yield finding("enforcement-rejected", text)
    if anchors.measurements and proof.measurement not in anchors.measurements:
        text = "the proof's measurement is none that the policy accepts"
        yield finding("measurement-not-allowed", text)
    if anchors.public_keys and proof.public_key_text not in anchors.public_keys:
        text = "the proof's key is none that the policy accepts"
        yield finding("public-key-not-allowed", text)


def _evidence(proof: Proof, anchors: TrustAnchors) -> Iterator[Finding]:
    formats = anchors.attestation_formats
    if proof.attestation is None:
        if anchors.requires_attestation or formats:
            text = "the proof has no evidence, and the policy wants some"
            yield finding("attestation-missing", text)
    elif formats and proof.attestation.format not in formats:
        text = "the proof's evidence is of a format that the policy does not accept"
        yield finding("attestation-format-rejected", text)


def _commit(proof: Proof, anchors: TrustAnchors) -> Iterator[Finding]:
    low, high = anchors.min_counter, anchors.max_counter
    if low is not None or high is not None:
        counter = None if proof.counter is None else big_integer(proof.counter)
        if counter is None:
            yield finding("counter-missing", "the proof has no counter, or one that is no number")
        elif (low is not None and counter < low) or (high is not None and counter > high):
            # Not shown: a stranger's number may have more digits than anybody prints.
            yield finding("counter-rejected", "the policy does not accept the proof's counter")
    first, last = anchors.min_time, anchors.max_time
    if first is not None or last is not None:
        if proof.time is None:
            yield finding("time-missing", "the proof has no time, and the policy limits it")
        elif (first is not None and proof.time < first) or (last is not None and proof.time > last):
            yield finding("time-rejected", f"the policy does not accept the time {proof.time}")
    if anchors.requires_epoch and not proof.epoch_id:
        yield finding("epoch-missing", "the proof names no epoch, and the policy wants one")
