"""Proofs of provenclave/1: prepared text against the generic form, with the package as judge."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.javascript import JavaScript

from adyton.codec.javascript import canonical, loads
from adyton.codec.text import to_base64
from adyton.crypto.ed25519 import Ed25519Key
from adyton.errors import MalformedError
from adyton.ledger.epoch import EpochLink, epoch_id
from adyton.ledger.proof import Enforcement, Proof, ProofTemplate, proof_hash

KEY = Ed25519Key(bytes(range(32)))
DATA = b"what is committed"
TEMPLATE = ProofTemplate(
    public_key=KEY.public,
    enforcement=Enforcement.MEASURED_TEE,
    measurement="ab" * 48,
    epoch_id=epoch_id(KEY.public, bytes(32)),
    attestation_format="aws-nitro",
)
COMMIT: dict[str, Any] = {
    "digest": hashlib.sha256(DATA).digest(),
    "counter": 7,
    "nonce": bytes(32),
    "time_ms": 1_770_000_000_123,
    "prev": bytes([1] * 32),
}
TEXTS = st.text(st.characters(exclude_categories=[]), min_size=1, max_size=20)
TEMPLATES = st.builds(
    ProofTemplate,
    public_key=st.just(KEY.public),
    enforcement=st.sampled_from(Enforcement),
    measurement=TEXTS,
    epoch_id=st.none() | TEXTS,
    attestation_format=st.none() | TEXTS,
    anchor=st.none() | TEXTS,
)
EXTRAS = st.dictionaries(
    st.sampled_from(["epochLink", "__proto__", "10", "9", "a", "\ue000", "\U0001f600", "slot"]),
    st.none() | st.integers() | st.floats() | TEXTS | st.lists(st.integers(), max_size=3),
    max_size=4,
)
COMMITS = st.fixed_dictionaries(
    {
        "digest": st.just(COMMIT["digest"]),
        "counter": st.integers(0, 2**70),
        "nonce": st.binary(min_size=16, max_size=40),
        "time_ms": st.integers(0, 2**53 - 1),
        "prev": st.none() | st.binary(min_size=32, max_size=32),
        "extra": st.just({}) | EXTRAS,
    }
)


@pytest.fixture(scope="module")
def javascript() -> Iterator[JavaScript]:
    with JavaScript() as process:
        yield process


def made(template: ProofTemplate = TEMPLATE, metadata: Any = None, **commit: Any) -> bytes:
    body = template.body(**{**COMMIT, **commit})
    return template.proof(
        body=body,
        signature=KEY.sign(body),
        report=None if template.attestation_format is None else b"a report",
        metadata=None if metadata is None else canonical(metadata),
    )


def generic_body(template: ProofTemplate, commit: dict[str, Any], *, with_format: bool) -> bytes:
    members = {
        "counter": str(commit["counter"]),
        "nonceB64": to_base64(commit["nonce"]),
        "time": commit["time_ms"],
        **commit["extra"],
    }
    if commit["prev"] is not None:
        members["prevB64"] = to_base64(commit["prev"])
    if template.anchor is not None:
        members["anchor"] = template.anchor
    if template.epoch_id is not None:
        members["epochId"] = template.epoch_id
    body: dict[str, Any] = {
        "version": "provenclave/1",
        "artifact": {"hashAlg": "sha256", "digestB64": to_base64(commit["digest"])},
        "commit": members,
        "publicKeyB64": to_base64(template.public_key),
        "enforcement": template.enforcement.value,
        "measurement": template.measurement,
    }
    if with_format and template.attestation_format is not None:
        body["attestationFormat"] = template.attestation_format
    return canonical(body)


@given(TEMPLATES, COMMITS)
def test_prepared_text_is_the_generic_canonical_form(
    template: ProofTemplate, commit: dict[str, Any]
) -> None:
    body = template.body(**commit)
    assert body == generic_body(template, commit, with_format=True)
    unformatted = generic_body(template, commit, with_format=False)
    assert template.evidence_digest(body) == hashlib.sha256(unformatted).digest()


@given(TEMPLATES, COMMITS, st.none() | st.dictionaries(TEXTS, TEXTS | st.floats(), max_size=3))
def test_a_proof_is_canonical_and_holds_what_was_signed(
    template: ProofTemplate, commit: dict[str, Any], metadata: Any
) -> None:
    data = made(template, metadata, **commit)
    proof = Proof.from_bytes(data)
    assert canonical(proof.document) == data
    assert proof.hash() == proof_hash(data) == hashlib.sha256(data).digest()
    assert proof.body() == template.body(**commit)
    assert proof.body_without_format() == generic_body(template, commit, with_format=False)
    assert proof.counter == str(commit["counter"])
    assert proof.epoch_id == template.epoch_id
    assert proof.measurement == json.loads(canonical(template.measurement))


def test_the_real_package_accepts_every_proof_that_is_made(javascript: JavaScript) -> None:
    @settings(max_examples=150, deadline=None)
    @given(TEMPLATES, COMMITS, st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3))
    def check(template: ProofTemplate, commit: dict[str, Any], metadata: Any) -> None:
        data = made(template, metadata, **commit)
        assert javascript.verify(data, DATA) == (True, "")
        assert javascript.canonical(data) == data

    check()


def test_the_real_package_accepts_an_epoch_link(javascript: JavaScript) -> None:
    link = EpochLink(
        previous_epoch="before",
        previous_key=bytes(32),
        previous_counter=6,
        previous_hash=bytes([2] * 32),
        epoch=TEMPLATE.epoch_id or "",
        public_key=KEY.public,
    )
    data = made(prev=None, extra={"epochLink": link.to_json()})
    assert javascript.verify(data, DATA) == (True, "")
    assert EpochLink.from_json(Proof.from_bytes(data).commit["epochLink"]) == link


def test_the_real_package_refuses_other_bytes(javascript: JavaScript) -> None:
    assert not javascript.verify(made(), b"other bytes")[0]


@pytest.mark.parametrize(
    "broken",
    [
        {"digest": bytes(31)},
        {"prev": bytes(33)},
        {"nonce": bytes(15)},
        {"counter": -1},
        {"time_ms": -1},
        {"time_ms": 2**53},
        {"extra": {"counter": "9"}},
        {"extra": {"prevB64": "x"}},
        {"extra": {"anchor": "x"}},
    ],
)
def test_no_proof_is_made_of_wrong_arguments(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        TEMPLATE.body(**{**COMMIT, **broken})


@pytest.mark.parametrize(
    "broken",
    [
        {"public_key": bytes(31)},
        {"measurement": ""},
        {"epoch_id": ""},
        {"attestation_format": ""},
        {"anchor": ""},
        {"report": b""},
        {"report": b"a report", "attestation_format": None},
    ],
)
def test_no_template_is_made_of_wrong_arguments(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(TEMPLATE, **broken)


@pytest.mark.parametrize("broken", [{"signature": bytes(63)}, {"report": None}, {"report": b""}])
def test_no_proof_lacks_its_signature_or_its_evidence(broken: dict[str, Any]) -> None:
    whole = {"body": TEMPLATE.body(**COMMIT), "signature": bytes(64), "report": b"r"}
    with pytest.raises(ValueError):
        TEMPLATE.proof(**{**whole, **broken})


def test_a_template_has_the_evidence_of_its_epoch_and_a_proof_may_have_its_own() -> None:
    template = replace(TEMPLATE, report=b"of the epoch")
    body = template.body(**COMMIT)
    for report, expected in ((None, b"of the epoch"), (b"its own", b"its own")):
        data = template.proof(body=body, signature=bytes(64), report=report)
        attestation = Proof.from_bytes(data).attestation
        assert attestation is not None
        assert attestation.report_text == to_base64(expected)
    with pytest.raises(ValueError):
        template.proof(body=body, signature=bytes(64), report=b"")


ABSENT = object()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []),
        ((), "text"),
        (("version",), "provenclave/2"),
        (("version",), ABSENT),
        (("artifact",), []),
        (("artifact", "hashAlg"), "sha512"),
        (("artifact", "digestB64"), ""),
        (("commit",), None),
        (("commit", "nonceB64"), 1),
        (("commit", "counter"), 7),
        (("commit", "counter"), None),
        (("commit", "time"), "7"),
        (("commit", "time"), -1),
        (("commit", "time"), True),
        (("commit", "time"), None),
        (("commit", "prevB64"), None),
        (("commit", "epochId"), 1),
        (("signer",), ABSENT),
        (("signer", "publicKeyB64"), ""),
        (("signer", "signatureB64"), ABSENT),
        (("environment",), 1),
        (("environment", "enforcement"), "promise"),
        (("environment", "enforcement"), ABSENT),
        (("environment", "measurement"), ""),
        (("environment", "attestation"), None),
        (("environment", "attestation", "format"), ""),
        (("environment", "attestation", "reportB64"), ABSENT),
    ],
)
def test_each_broken_structure_is_refused_as_the_package_does(
    path: tuple[str, ...], value: Any, javascript: JavaScript
) -> None:
    document: Any = loads(made(), limit_bytes=10_000)
    if not path:
        document = value
    else:
        place = document
        for key in path[:-1]:
            place = place[key]
        if value is ABSENT:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    text = json.dumps(document)
    with pytest.raises(MalformedError):
        Proof.from_bytes(text.encode())
    assert not javascript.verify(text, DATA)[0]


def test_a_link_that_is_none_is_refused() -> None:
    good = EpochLink(
        previous_epoch="a",
        previous_key=bytes(32),
        previous_counter=1,
        previous_hash=bytes(32),
        epoch="b",
        public_key=bytes(32),
    ).to_json()
    for broken in (
        None,
        {},
        {**good, "more": 1},
        {**good, "prevCounter": "01"},
        {**good, "prevCounter": "-1"},
        {**good, "prevCounter": "٣"},
        {**good, "prevCounter": 1},
        {**good, "prevProofHashB64": "AA=="},
        {**good, "toEpochId": ""},
    ):
        with pytest.raises(MalformedError):
            EpochLink.from_json(broken)


def test_two_names_for_the_proof_before_must_agree() -> None:
    link = EpochLink(
        previous_epoch="before",
        previous_key=bytes(32),
        previous_counter=6,
        previous_hash=bytes([2] * 32),
        epoch=TEMPLATE.epoch_id or "",
        public_key=KEY.public,
    ).to_json()
    same = Proof.from_bytes(made(prev=bytes([2] * 32), extra={"epochLink": link}))
    assert same.previous_hash() == bytes([2] * 32)
    other = Proof.from_bytes(made(prev=bytes([3] * 32), extra={"epochLink": link}))
    with pytest.raises(MalformedError):
        other.previous_hash()


def test_without_a_time_a_proof_is_one() -> None:
    document: Any = loads(made(), limit_bytes=10_000)
    del document["commit"]["time"]
    assert Proof.from_json(document).time is None
