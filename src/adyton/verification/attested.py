"""The evidence layer of a commit: what the evidence in a proof is over, and whose it is.

Makers of provenclave/1 do not agree on what evidence is over. Three forms are accepted, and the
verdict says which one was found: the hash of the signed body without ``attestationFormat`` (npm's
maker), with it (later services), or the binding of key and epoch (``ledger.epoch``), where one
piece of evidence serves a whole epoch.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from adyton.appraisal.appraise import appraise, refuse
from adyton.appraisal.document import Choice
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.text import from_base64
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.collateral import Collateral
from adyton.evidence.formats import Format, detect
from adyton.evidence.nitro.layout import Document
from adyton.ledger.epoch import epoch_binding
from adyton.ledger.proof import Proof
from adyton.model.claims import Claims
from adyton.model.verdict import (
    EVIDENCE_PARTS,
    Finding,
    Layer,
    LayerName,
    Part,
    Status,
    failed,
    finding,
    not_evaluated,
    not_required,
)
from adyton.model.window import LAST_MILLISECOND, instant_of
from adyton.verification.authenticate import EvidenceCache, authenticate
from adyton.verification.commit import Read
from adyton.verification.notary_policy import NotaryPolicy

__all__ = ["attested_layer"]

_MAX_REPORT_BYTES: Final = 64 * 1024
# What each technology calls the measurement that a proof repeats, first found first taken.
_MEASUREMENTS: Final = ("pcr0", "mr_enclave", "mr_td", "measurement")
_PREFIX: Final = "pcr0:"


def attested_layer(
    read: Read,
    *,
    policy: NotaryPolicy,
    at: datetime,
    collateral: Collateral,
    cache: EvidenceCache | None,
) -> Layer:
    """Return the evidence layer of a proof.

    1. The evidence is authentic and acceptable under the policy, as ``appraise`` has it. It speaks
       for the moment of the commit, not for ``at``: certificates live for hours.
    2. It is over the proof's body in one of the two forms, or over its key and epoch; *freshness*
       says which.
    3. Its measurement is the one that the proof repeats.
    """
    accepted = policy.evidence
    if isinstance(accepted, Choice):
        return _NOT_REQUIRED
    if isinstance(read, MalformedError) or read.attestation is None:
        return _missing()
    try:
        report = from_base64(
            read.attestation.report_text, "reportB64", limit_bytes=_MAX_REPORT_BYTES
        )
        given = _instant(read, at)
        # Step 1
        claims = authenticate(
            report,
            collateral=collateral,
            policy=accepted,
            at=_signed_at(report, given),
            cache=cache,
        )
        return _appraised(read, claims, policy=accepted, at=given)
    except (MalformedError, RejectedError) as error:
        return refuse(error)


def _appraised(proof: Proof, claims: Claims, *, policy: Policy, at: datetime) -> Layer:
    # Step 2
    form, expected = _form(proof, claims.report_data or b"")
    layer = appraise(claims, policy=policy, expected=Expected(report_data=expected), at=at)
    if form is not None:
        layer = _noted(layer, "freshness", form)
    # Step 3
    if (mismatch := _other_measurement(proof, claims)) is not None:
        parts = tuple(
            _against(part, mismatch) if part.name == "identity" else part for part in layer.parts
        )
        return replace(layer, parts=parts)
    return layer


def _form(proof: Proof, found: bytes) -> tuple[Finding | None, bytes]:
    """Return which form ``found`` is of, and what it should be: the first one, if it is none."""
    forms = list(_forms(proof))
    for form, wanted in forms:
        if found and found == _padded(wanted, found):
            return form, found
    return None, _padded(forms[0][1], found)


def _forms(proof: Proof) -> Iterator[tuple[Finding, bytes]]:
    text = "the evidence is over this commit, without the name of its format"
    yield finding("bound-to-commit", text), sha256(proof.body_without_format())
    text = "the evidence is over this commit, with the name of its format"
    yield finding("bound-to-commit-and-format", text), sha256(proof.body())
    if proof.epoch_id is not None:
        text = "the evidence is over the key and its epoch; the signature ties the commit to them"
        key = from_base64(proof.public_key_text, "signer.publicKeyB64", limit_bytes=64)
        yield finding("bound-to-epoch", text), epoch_binding(key, proof.epoch_id)


def _padded(wanted: bytes, found: bytes) -> bytes:
    # Some technologies have a field of 64 bytes for it, and fill the rest with zeros.
    return wanted.ljust(len(found), b"\0")


def _instant(proof: Proof, at: datetime) -> datetime:
    if proof.time is None:
        return at
    if proof.time > LAST_MILLISECOND:
        raise MalformedError("commit.time is after the year 9999")
    return instant_of(int(proof.time))


def _signed_at(report: bytes, given: datetime) -> datetime:
    # A document that serves an epoch outlives its certificates: its own time, which is signed,
    # is when they had to be valid. How old it may be at the commit is for the policy.
    if detect(report) is Format.NITRO:
        return Document.from_bytes(report).timestamp
    return given


def _other_measurement(proof: Proof, claims: Claims) -> Finding | None:
    for name in _MEASUREMENTS:
        if name in claims.measurements:
            wanted = claims.measurements[name].hex()
            if proof.measurement.removeprefix(_PREFIX).lower() == wanted:
                return None
    text = "the proof names another measurement than its evidence"
    return finding("measurement-mismatch", text)


def _noted(layer: Layer, name: str, note: Finding) -> Layer:
    parts = tuple(
        replace(part, findings=(*part.findings, note))
        if part.name == name and part.status is Status.PASSED
        else part
        for part in layer.parts
    )
    return replace(layer, parts=parts)


def _against(part: Part, reason: Finding) -> Part:
    # What a part rested on is no reason against it.
    before = part.findings if part.status is Status.FAILED else ()
    return failed(part.name, *before, reason)


def _missing() -> Layer:
    text = "there is no evidence in the proof, and the policy wants some"
    first = Part(
        name=EVIDENCE_PARTS[0],
        status=Status.FAILED,
        findings=(finding("attestation-missing", text),),
    )
    others = (
        not_evaluated(name, "attestation-missing", "there is no evidence to judge")
        for name in EVIDENCE_PARTS[1:]
    )
    return _plain(first, *others)


def _plain(*parts: Part) -> Layer:
    return Layer(
        name=LayerName.EVIDENCE,
        parts=parts,
        establishes="",
        does_not_establish=(
            "anything: no evidence was judged, so the key may be anybody's, anywhere"
        ),
    )


_NOT_REQUIRED: Final = _plain(
    *(
        not_required(
            name,
            "evidence-not-required",
            "no policy says which evidence is accepted: nothing shows where the key is held",
        )
        for name in EVIDENCE_PARTS
    )
)
