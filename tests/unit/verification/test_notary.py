"""A notary's proof, layer by layer, and the npm package as the judge of what both check."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.javascript import JavaScript
from tests.fakes.nitro import NOW, TIMESTAMP, FakeNitro
from tests.fakes.proofs import PCR0, FakeNotary
from tests.fakes.timestamps import NOW as STAMPED
from tests.fakes.timestamps import FakeAuthority

from adyton.appraisal.document import Choice
from adyton.appraisal.policy import Policy
from adyton.codec.javascript import loads
from adyton.codec.text import to_base64
from adyton.crypto.ed25519 import Ed25519Key
from adyton.crypto.timestamp import timestamp_request
from adyton.errors import MalformedError
from adyton.ledger.checkpoint import NoteKey
from adyton.ledger.proof import Proof
from adyton.ledger.tree import Hash
from adyton.model.verdict import LayerName, Status, Verdict
from adyton.verification.commit import passed_checks
from adyton.verification.notary import Beside, verify_commit
from adyton.verification.notary_policy import OPEN, NotaryPolicy, TrustAnchors, big_integer

DATA = b"what is committed"
ARTIFACT = hashlib.sha256(DATA).digest()
LATER = NOW + timedelta(days=900)
NITRO = FakeNitro()
EVIDENCE: Any = {
    "version": "adyton/policy/v1",
    "roots": {"fake": NITRO.root_sha256.hex()},
    "platforms": {
        "insecure": {
            "debug": "refused",
            "tcb": "not-required",
            "measurements": {"notary": {"pcr0": PCR0}},
        }
    },
    "evidence": {"maximum_age_seconds": 7200, "challenge": "not-required"},
}
STRICT: Any = {
    "version": "adyton/notary-policy/v1",
    "signer": {"requireEnforcement": "measured-tee", "requireEpochId": True},
    "artifact": "required",
    "predecessor": "required",
    "log": {"keys": [], "inclusion": "required", "timestamp": "not-required", "authorities": []},
    "evidence": EVIDENCE,
}


@pytest.fixture(scope="module")
def javascript() -> Iterator[JavaScript]:
    with JavaScript() as process:
        yield process


def notary(**settings: Any) -> FakeNotary:
    made = FakeNotary(**settings)
    made.commit(b"before")
    made.commit(DATA)
    return made


def judged(
    proof: bytes | Any, *, policy: NotaryPolicy = OPEN, at: datetime = LATER, **beside: Any
) -> Verdict:
    document = loads(proof, limit_bytes=10**6) if isinstance(proof, bytes) else proof
    return verify_commit(document, at=at, policy=policy, beside=Beside(**beside))


def codes(verdict: Verdict, name: LayerName | None = None) -> set[str]:
    return {
        finding.code
        for layer in verdict.layers
        if name in {None, layer.name}
        for part in layer.parts
        for finding in part.findings
    }


def reasons(verdict: Verdict) -> set[str]:
    assert not verdict.accepted
    return {finding.code for finding in verdict.reasons}


def test_a_proof_holds_with_everything_that_a_policy_can_ask_for() -> None:
    made = notary(nitro=NITRO)
    verdict = judged(
        made.proofs[1],
        policy=NotaryPolicy.from_json(STRICT),
        artifact=ARTIFACT,
        previous=Proof.from_bytes(made.proofs[0]),
        place=made.place(2),
    )
    assert verdict.accepted, verdict.reasons
    statuses = {layer.name: layer.status for layer in verdict.layers}
    assert set(statuses.values()) == {Status.PASSED}
    assert verdict.answer is None
    assert passed_checks(verdict.layer(LayerName.COMMIT)) == [
        "structure: ok",
        "digest: ok",
        "key: ok",
        "signature: ok",
        "policy: ok",
    ]


def test_what_was_not_given_counts_where_the_policy_wants_it() -> None:
    verdict = judged(notary(nitro=NITRO).proofs[1], policy=NotaryPolicy.from_json(STRICT))
    assert reasons(verdict) == {"artifact-missing", "predecessor-missing", "log-proof-missing"}


def test_a_proof_alone_holds_and_says_what_nobody_looked_at() -> None:
    verdict = judged(notary().proofs[1])
    assert verdict.accepted
    assert codes(verdict) >= {
        "artifact-not-required",
        "signer-not-required",
        "evidence-not-required",
        "predecessor-not-required",
        "log-not-required",
    }
    assert verdict.layer(LayerName.EVIDENCE).status is Status.NOT_REQUIRED
    assert verdict.layer(LayerName.EVIDENCE).to_json()["establishes"] == ""


def test_other_bytes_are_not_what_the_proof_is_about() -> None:
    assert reasons(judged(notary().proofs[1], artifact=bytes(32))) == {"artifact-mismatch"}


def test_what_is_no_proof_has_a_verdict_and_no_part_holds() -> None:
    documents: list[Any] = [None, [], {"version": "provenclave/1"}, 7]
    for document in documents:
        verdict = judged(document, artifact=ARTIFACT)
        assert reasons(verdict) == {"malformed", "not-a-proof"}


# --- evidence -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "form"),
    [
        ("epoch", "bound-to-epoch"),
        ("commit", "bound-to-commit"),
        ("commit-and-format", "bound-to-commit-and-format"),
    ],
)
def test_evidence_over_each_form_holds_and_the_form_is_named(over: str, form: str) -> None:
    made = notary(nitro=NITRO, over=over)
    verdict = judged(made.proofs[1], policy=NotaryPolicy.from_json(EVIDENCE))
    assert verdict.accepted, verdict.reasons
    assert form in codes(verdict, LayerName.EVIDENCE)


def test_evidence_over_something_else_is_refused() -> None:
    made = notary(nitro=NITRO, over="nothing")
    verdict = judged(made.proofs[1], policy=NotaryPolicy.from_json(EVIDENCE))
    assert "report-data-mismatch" in reasons(verdict)


def test_evidence_of_another_key_is_refused() -> None:
    thief = notary(seed=7)
    thief.template = replace(
        notary(nitro=NITRO).template, public_key=thief.key.public, report=NITRO.document()
    )
    genuine = Proof.from_bytes(notary(nitro=NITRO).proofs[0]).attestation
    assert genuine is not None
    document: Any = loads(thief.commit(DATA), limit_bytes=10**6)
    document["environment"]["attestation"]["reportB64"] = genuine.report_text
    verdict = judged(document, policy=NotaryPolicy.from_json(EVIDENCE))
    assert "report-data-mismatch" in reasons(verdict)


def test_a_measurement_that_the_evidence_does_not_have_is_refused() -> None:
    made = notary(nitro=NITRO, measurement="00" * 48)
    verdict = judged(made.proofs[1], policy=NotaryPolicy.from_json(EVIDENCE))
    assert reasons(verdict) == {"measurement-mismatch"}


def test_a_measurement_may_have_a_prefix() -> None:
    made = notary(nitro=NITRO, measurement=f"pcr0:{PCR0}")
    assert judged(made.proofs[1], policy=NotaryPolicy.from_json(EVIDENCE)).accepted


def test_code_that_the_policy_does_not_name_is_refused() -> None:
    platforms: Any = {
        "insecure": {
            **EVIDENCE["platforms"]["insecure"],
            "measurements": {"notary": {"pcr0": "ab" * 48}},
        }
    }
    policy = NotaryPolicy.from_json({**EVIDENCE, "platforms": platforms})
    assert "measurement-rejected" in reasons(judged(notary(nitro=NITRO).proofs[1], policy=policy))


def test_another_vendor_is_refused() -> None:
    made = notary(nitro=FakeNitro())
    verdict = judged(made.proofs[1], policy=NotaryPolicy.from_json(EVIDENCE))
    assert not verdict.accepted
    assert verdict.layer(LayerName.EVIDENCE).parts[0].status is Status.FAILED


def test_a_proof_without_evidence_is_refused_where_a_policy_wants_some() -> None:
    verdict = judged(notary().proofs[1], policy=NotaryPolicy.from_json(EVIDENCE))
    assert reasons(verdict) == {"attestation-missing"}


def test_evidence_of_an_epoch_may_be_as_old_as_the_policy_says() -> None:
    made = FakeNotary(nitro=NITRO)
    for hours, holds in ((1, True), (3, False), (9, False)):
        proof = made.commit(DATA, time_ms=TIMESTAMP + hours * 3_600_000)
        verdict = judged(proof, policy=NotaryPolicy.from_json(EVIDENCE))
        assert verdict.accepted is holds
        if not holds:
            assert reasons(verdict) == {"evidence-too-old"}


def test_evidence_that_was_made_after_the_commit_is_refused() -> None:
    proof = FakeNotary(nitro=NITRO).commit(DATA, time_ms=TIMESTAMP - 3_600_000)
    verdict = judged(proof, policy=NotaryPolicy.from_json(EVIDENCE))
    assert reasons(verdict) == {"evidence-from-the-future"}


def test_a_time_beyond_all_calendars_is_malformed() -> None:
    proof = FakeNotary(nitro=NITRO).commit(DATA, time_ms=2**53 - 1)
    assert "malformed" in reasons(judged(proof, policy=NotaryPolicy.from_json(EVIDENCE)))


@pytest.mark.parametrize("key", ["!", "AAAA", "A" * 400])
def test_evidence_beside_a_key_that_is_none_has_a_verdict(key: str) -> None:
    document: Any = json.loads(notary(nitro=NITRO, over="nothing").proofs[1])
    document["signer"]["publicKeyB64"] = key
    assert not judged(document, policy=NotaryPolicy.from_json(EVIDENCE)).accepted


@given(
    st.sampled_from([("commit", "epochId"), ("commit", "counter"), ("environment", "measurement")]),
    st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3) | st.just("0x" + "f" * 3990),
)
def test_whatever_stands_in_a_proof_its_verdict_can_be_shown(
    path: tuple[str, str], text: str
) -> None:
    made = notary(nitro=NITRO)
    document: Any = json.loads(made.proofs[1])
    document[path[0]][path[1]] = text
    signer = TrustAnchors(max_counter=1, measurements=frozenset({"x"}))
    policy = replace(NotaryPolicy.from_json(EVIDENCE), signer=signer)
    previous = Proof.from_bytes(made.proofs[0])
    verdict = judged(document, policy=policy, place=made.place(2), previous=previous)
    assert not verdict.accepted
    json.dumps(verdict.to_json(), ensure_ascii=False).encode()


# --- chain ----------------------------------------------------------------------------------


def test_a_proof_is_said_to_stand_behind_another_only_where_that_was_given() -> None:
    first, second = map(Proof.from_bytes, notary().proofs)
    shown = judged(second.document, previous=first).layer(LayerName.CHAIN)
    assert "directly behind the one that was given" in shown.establishes
    alone = judged(second.document).layer(LayerName.CHAIN)
    assert alone.status is Status.PASSED
    assert "behind" not in alone.establishes


def test_the_proof_before_is_the_one_that_was_hashed() -> None:
    made = notary()
    made.commit(b"third")
    first, second, third = map(Proof.from_bytes, made.proofs)
    assert judged(second.document, previous=first).accepted
    assert judged(third.document, previous=second).accepted
    assert reasons(judged(third.document, previous=first)) == {"predecessor-mismatch"}
    assert reasons(judged(first.document, previous=second)) == {"predecessor-mismatch"}


def test_a_gap_in_the_counter_is_seen() -> None:
    made = FakeNotary()
    made.commit(b"one")
    made.commit(b"two", counter=3)
    first, second = map(Proof.from_bytes, made.proofs)
    assert reasons(judged(second.document, previous=first)) == {"counter-gap"}


def test_a_slot_takes_a_number_of_its_own() -> None:
    made = FakeNotary()
    made.commit(b"one", counter=2, slotCounter="1")
    made.commit(b"two", counter=4, slotCounter="3")
    first, second = map(Proof.from_bytes, made.proofs)
    assert judged(second.document, previous=first).accepted


def test_a_new_epoch_links_to_the_one_before() -> None:
    made = notary()
    made.next_epoch(1)
    made.commit(DATA)
    *_, before, first = map(Proof.from_bytes, made.proofs)
    assert first.prev_text is None
    assert judged(first.document, previous=before).accepted


def test_a_link_for_another_key_is_refused() -> None:
    made = notary()
    made.next_epoch(1)
    made.key = Ed25519Key(bytes([9]) * 32)
    made.template = replace(made.template, public_key=made.key.public)
    verdict = judged(made.commit(DATA), previous=Proof.from_bytes(made.proofs[1]))
    assert reasons(verdict) == {"malformed"}


def test_a_link_to_another_epoch_is_refused() -> None:
    made = notary()
    made.epoch = "another"
    made.next_epoch(1)
    verdict = judged(made.commit(DATA), previous=Proof.from_bytes(made.proofs[1]))
    assert reasons(verdict) == {"epoch-link-mismatch"}


def test_a_key_that_changes_without_a_link_is_refused() -> None:
    made = notary()
    made.key = Ed25519Key(bytes([9]) * 32)
    made.template = replace(made.template, public_key=made.key.public)
    verdict = judged(made.commit(DATA), previous=Proof.from_bytes(made.proofs[1]))
    assert reasons(verdict) == {"epoch-unlinked"}


@pytest.mark.parametrize("link", [None, {}, "text", {"prevCounter": "1"}])
def test_a_link_that_is_none_is_refused(link: Any) -> None:
    verdict = judged(FakeNotary().commit(DATA, epochLink=link))
    assert reasons(verdict) == {"malformed"}


@pytest.mark.parametrize("prev", ["", "AAAA", "!", "A" * 44])
def test_a_predecessor_that_is_no_hash_is_refused(prev: str) -> None:
    document: Any = loads(notary().proofs[1], limit_bytes=10**5)
    document["commit"]["prevB64"] = prev
    assert "malformed" in reasons(judged(document))


@pytest.mark.parametrize("counter", ["", "01", "+1", "-1", "0x1", " 1", "1.0", "\u0661"])
def test_a_counter_that_is_no_decimal_number_is_refused(counter: str) -> None:
    document: Any = loads(notary().proofs[1], limit_bytes=10**5)
    document["commit"]["counter"] = counter
    assert "malformed" in reasons(judged(document))


def test_a_proof_without_a_counter_has_no_place_in_a_chain() -> None:
    document: Any = loads(notary().proofs[1], limit_bytes=10**5)
    del document["commit"]["counter"]
    assert "counter-absent" in codes(judged(document))


def test_what_has_no_number_follows_what_has_none() -> None:
    documents: list[Any] = [loads(proof, limit_bytes=10**5) for proof in notary().proofs]
    for document in documents:
        del document["commit"]["counter"]
    before, after = documents
    after["commit"]["prevB64"] = to_base64(Proof.from_json(before).hash())
    assert "counter-gap" not in codes(judged(after, previous=Proof.from_json(before)))


# --- log ------------------------------------------------------------------------------------


def test_a_proof_is_in_the_log_at_the_place_of_its_counter() -> None:
    made = notary()
    verdict = judged(made.proofs[1], place=made.place(2))
    assert verdict.accepted, verdict.reasons
    assert verdict.layer(LayerName.LOG).status is Status.PASSED


def test_a_place_of_another_proof_is_refused() -> None:
    made = notary()
    assert reasons(judged(made.proofs[1], place=made.place(1))) == {"log-index-mismatch"}
    wrong = replace(made.place(1), index=1)
    assert reasons(judged(made.proofs[1], place=wrong)) == {"inclusion-rejected"}
    wrong = made.place(2, path=(Hash(bytes(32)),))
    assert reasons(judged(made.proofs[1], place=wrong)) == {"inclusion-rejected"}


def test_a_log_of_another_key_counts_where_the_policy_names_it() -> None:
    made = notary()
    proof, other = made.proofs[1], FakeNotary(seed=5)
    other.proofs, other._nodes = made.proofs, made._nodes
    place = other.place(2)
    assert "checkpoint-unsigned" in reasons(judged(proof, place=place))
    log = replace(OPEN.log, keys=frozenset({other.note_key}))
    assert judged(proof, place=place, policy=replace(OPEN, log=log)).accepted


def test_metadata_that_was_added_later_is_not_in_the_log() -> None:
    made = notary()
    document: Any = loads(made.proofs[1], limit_bytes=10**5)
    document["metadata"] = {"tsa": "added later"}
    assert judged(document).accepted
    assert reasons(judged(document, place=made.place(2))) == {"inclusion-rejected"}


def test_a_stamped_checkpoint_says_since_when() -> None:
    made, authority = notary(), FakeAuthority()
    place = made.place(2)
    place = replace(place, extra=authority.answer(timestamp_request(place.note)))
    log = replace(OPEN.log, authorities=frozenset({authority.root}), timestamp=Choice.REQUIRED)
    policy = replace(OPEN, log=log)
    verdict = judged(made.proofs[1], place=place, policy=policy)
    assert verdict.accepted, verdict.reasons
    assert f"{STAMPED:%Y-%m-%dT%H:%M:%SZ}" in str(verdict.to_json())
    assert reasons(judged(made.proofs[1], place=made.place(2), policy=policy)) == {
        "timestamp-missing"
    }
    foreign = replace(place, extra=FakeAuthority().answer(timestamp_request(place.note)))
    assert reasons(judged(made.proofs[1], place=foreign, policy=policy)) == {"timestamp-rejected"}
    assert "timestamp-authority-unknown" in codes(judged(made.proofs[1], place=place))


@pytest.mark.parametrize("extra", [b"", b"no time stamp at all"])
def test_a_time_stamp_that_is_wanted_of_nobody_is_there_never(extra: bytes) -> None:
    made = notary()
    policy = replace(OPEN, log=replace(OPEN.log, timestamp=Choice.REQUIRED))
    place = replace(made.place(2), extra=extra)
    assert len(reasons(judged(made.proofs[1], place=place, policy=policy))) == 1


@pytest.mark.parametrize("key", ["!", "AAAA"])
def test_a_log_beside_a_key_that_is_none_has_a_verdict(key: str) -> None:
    made = notary()
    document: Any = loads(made.proofs[1], limit_bytes=10**5)
    document["signer"]["publicKeyB64"] = key
    assert not judged(document, place=made.place(2)).accepted
    assert not judged(None, place=made.place(2)).accepted


# --- policies -------------------------------------------------------------------------------


def test_each_of_the_three_documents_is_a_policy() -> None:
    assert NotaryPolicy.from_bytes(b"{}") == OPEN
    assert NotaryPolicy.from_json(EVIDENCE).evidence == Policy.from_json(EVIDENCE)
    key = NoteKey(name="log", public_key=bytes(32))
    root = FakeAuthority().root
    pem = f"-----BEGIN CERTIFICATE-----\n{to_base64(root)}\n-----END CERTIFICATE-----\n"
    log: Any = {
        "keys": [key.to_text()],
        "inclusion": "required",
        "timestamp": "required",
        "authorities": [pem],
    }
    policy = NotaryPolicy.from_json({**STRICT, "log": log, "evidence": "not-required"})
    assert policy.log.keys == {key}
    assert policy.log.authorities == {root}
    assert policy.evidence is Choice.NOT_REQUIRED


@pytest.mark.parametrize(
    "changes",
    [
        {"requireActor": True},
        {"requireEnforcement": "best"},
        {"allowedPublicKeys": "text"},
        {"allowedMeasurements": [1]},
        {"requireAttestation": "yes"},
        {"minCounter": "one"},
        {"maxCounter": 1.5},
        {"minTime": "1"},
        {"maxTime": True},
        {"maxTime": float("inf")},
        None,
    ],
)
def test_a_trust_anchor_that_nobody_can_check_is_refused(changes: Any) -> None:
    with pytest.raises(MalformedError):
        TrustAnchors.from_json(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"artifact": ...},
        {"more": 1},
        {"artifact": "yes"},
        {"log": {}},
        {"log": {**STRICT["log"], "keys": ["no key"]}},
        {"log": {**STRICT["log"], "authorities": ["no pem"]}},
        {"evidence": "required"},
    ],
)
def test_a_policy_that_leaves_a_decision_open_is_refused(changes: dict[str, Any]) -> None:
    document = {key: value for key, value in {**STRICT, **changes}.items() if value is not ...}
    with pytest.raises(MalformedError):
        NotaryPolicy.from_json(document)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        (" \u00a07\ufeff", 7),
        ("007", 7),
        ("+7", 7),
        ("-7", -7),
        ("0x1F", 31),
        ("0b11", 3),
        ("0o17", 15),
        ("-0x1", None),
        ("1e3", None),
        ("1_000", None),
        ("\u0661", None),
        ("0x", None),
        ("9" * 4001, None),
    ],
)
def test_texts_are_numbers_as_in_javascript(text: str, number: int | None) -> None:
    assert big_integer(text) == number


@pytest.mark.parametrize(
    ("anchors", "code"),
    [
        (TrustAnchors(min_time=0), "time-missing"),
        (TrustAnchors(requires_epoch=True), "epoch-missing"),
        (TrustAnchors(min_counter=0), "counter-missing"),
        (TrustAnchors(requires_attestation=True), "attestation-missing"),
    ],
)
def test_what_is_not_there_is_refused_where_it_is_wanted(anchors: TrustAnchors, code: str) -> None:
    document: Any = loads(notary().proofs[1], limit_bytes=10**5)
    for member in ("time", "epochId", "counter"):
        del document["commit"][member]
    assert code in reasons(judged(document, policy=NotaryPolicy.of(signer=anchors)))


def test_evidence_of_a_proof_without_time_and_epoch_is_judged_for_the_given_instant() -> None:
    document: Any = loads(notary(nitro=NITRO).proofs[1], limit_bytes=10**5)
    for member in ("time", "epochId"):
        del document["commit"][member]
    verdict = judged(document, policy=NotaryPolicy.from_json(EVIDENCE), at=LATER)
    assert {"evidence-too-old", "report-data-mismatch"} <= reasons(verdict)


# --- both verifiers -------------------------------------------------------------------------

PLACES = [
    ("version",),
    ("artifact",),
    ("artifact", "hashAlg"),
    ("artifact", "digestB64"),
    ("artifact", "more"),
    ("commit",),
    ("commit", "nonceB64"),
    ("commit", "counter"),
    ("commit", "time"),
    ("commit", "prevB64"),
    ("commit", "epochId"),
    ("commit", "__proto__"),
    ("commit", "10"),
    ("signer",),
    ("signer", "publicKeyB64"),
    ("signer", "signatureB64"),
    ("environment",),
    ("environment", "enforcement"),
    ("environment", "measurement"),
    ("environment", "attestation"),
    ("environment", "attestation", "format"),
    ("environment", "attestation", "reportB64"),
    ("metadata",),
    ("timestamps",),
]
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=8)
VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(["stub", "AAAA", "A" * 43 + "=", "A" * 86 + "==", "provenclave/1", "1"])
    # Made anew each time: what is put into one would be in all that come after.
    | st.builds(list)
    | st.builds(dict)
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(PLACES), st.just(...) | VALUES), min_size=0, max_size=2
)
PROOFS = [*notary().proofs, *notary(nitro=NITRO).proofs]
KEY_TEXT = to_base64(notary().key.public)
ANCHORS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "requireEnforcement": st.sampled_from(["stub", "hw-key", "measured-tee"]),
        "allowedMeasurements": st.lists(st.sampled_from([PCR0, "other"]), max_size=2),
        "allowedPublicKeys": st.lists(st.sampled_from([KEY_TEXT, "other"]), max_size=2),
        "requireAttestation": st.booleans(),
        "requireAttestationFormat": st.lists(st.sampled_from(["aws-nitro", "sgx"]), max_size=2),
        "minCounter": st.sampled_from(["", "0", "1", "2", " 0x2", "-5", "99999999999999999999"]),
        "maxCounter": st.sampled_from(["1", "2", "+3", "99999999999999999999"]),
        "minTime": st.sampled_from([0, 1.5, TIMESTAMP, TIMESTAMP + 1]),
        "maxTime": st.sampled_from([0, TIMESTAMP, TIMESTAMP + 1, 1e300]),
        "requireEpochId": st.booleans(),
    },
)


def mutated(proof: bytes, changes: list[tuple[tuple[str, ...], Any]]) -> str:
    document: Any = json.loads(proof)
    for path, value in changes:
        place = document
        for key in path[:-1]:
            place = place.get(key) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            continue
        if value is ...:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value
    return json.dumps(document)


def test_both_verifiers_say_the_same(javascript: JavaScript) -> None:
    @settings(max_examples=400, deadline=None)
    @given(st.sampled_from(PROOFS), CHANGES, st.none() | ANCHORS, st.sampled_from([DATA, b"x"]))
    def check(
        proof: bytes, changes: list[Any], anchors: dict[str, Any] | None, data: bytes
    ) -> None:
        text = mutated(proof, changes)
        theirs, reason = javascript.verify(
            text, data, None if anchors is None else json.dumps(anchors)
        )
        signer = TrustAnchors() if anchors is None else TrustAnchors.from_json(anchors)
        verdict = judged(
            loads(text.encode(), limit_bytes=10**6),
            policy=NotaryPolicy.of(signer=signer),
            artifact=hashlib.sha256(data).digest(),
        )
        commit = verdict.layer(LayerName.COMMIT)
        ours = commit.status in {Status.PASSED, Status.NOT_REQUIRED}
        assert ours is theirs, (reason, verdict.reasons)

    check()


def test_both_verifiers_accept_what_was_signed_however_odd_it_is(javascript: JavaScript) -> None:
    @settings(max_examples=200, deadline=None)
    @given(st.dictionaries(st.sampled_from(["__proto__", "10", "9", "a", "\ud800"]), VALUES))
    def check(extra: dict[str, Any]) -> None:
        proof = FakeNotary().commit(DATA, **extra)
        assert javascript.verify(proof, DATA) == (True, "")
        verdict = judged(proof, artifact=ARTIFACT)
        assert verdict.layer(LayerName.COMMIT).status is Status.PASSED, verdict.reasons

    check()


def test_a_flipped_bit_in_what_is_signed_is_refused_by_both(javascript: JavaScript) -> None:
    proof = notary().proofs[1]
    signed = proof.index(b'"environment"')

    @settings(max_examples=150, deadline=None)
    @given(st.integers(0, signed * 8 - 1))
    def check(bit: int) -> None:
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            verdict = judged(bytes(changed), artifact=ARTIFACT)
        except MalformedError:
            return
        text = changed.decode("utf-8")
        assert not verdict.accepted
        assert not javascript.verify(text, DATA)[0]

    check()


# Points of small order (RFC 8032's curve), and encodings of some that are not canonical.
WEAK = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


@pytest.mark.parametrize("key", WEAK)
def test_of_weak_keys_ours_accepts_no_more_than_the_package(
    key: str, javascript: JavaScript
) -> None:
    document: Any = json.loads(notary().proofs[1])
    document["signer"]["publicKeyB64"] = to_base64(bytes.fromhex(key))
    for point in WEAK:
        document["signer"]["signatureB64"] = to_base64(bytes.fromhex(point) + bytes(32))
        text = json.dumps(document)
        if judged(text.encode(), artifact=ARTIFACT).accepted:
            assert javascript.verify(text, DATA)[0]


def test_the_instant_of_a_verdict_is_the_one_that_was_given() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    assert judged(notary().proofs[1], at=at).at == at
