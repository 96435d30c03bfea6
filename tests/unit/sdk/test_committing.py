"""Committing, against gateways that lie."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.fakes.nitro import REGISTERS, FakeNitro
from tests.fakes.proofs import ORIGIN, FakeNotary

from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.ledger.checkpoint import open_checkpoint
from adyton.ledger.tree import LogRewrittenError
from adyton.sdk.committing import CommitChangedError, CommitRejectedError, Committed, commit
from adyton.sdk.log import (
    extends,
    log_proof,
    logged,
    newest_checkpoint,
    note_keys,
    origin_of,
    stamped_checkpoint,
)
from adyton.sdk.transport import GatewayUnavailableError, Transport
from adyton.verification.notary_policy import NotaryPolicy, TrustAnchors

DATA = [b"one", b"two"]
DIGESTS = [hashlib.sha256(data).digest() for data in DATA]
PCR0 = REGISTERS[0].hex()
Answer = Callable[[httpx.Request], httpx.Response]


def through(answer: Answer) -> Transport:
    return Transport(
        "http://notary.example", api_key="k", ca_file=None, transport=httpx.MockTransport(answer)
    )


def committed(body: bytes | Any, **options: Any) -> tuple[Committed, ...]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    transport = through(lambda _: httpx.Response(200, content=data))
    try:
        return transport.run(commit(DIGESTS, **options))
    finally:
        transport.close()


def through_one(proof: Any, **options: Any) -> tuple[Committed, ...]:
    transport = through(lambda _: httpx.Response(200, content=json.dumps([proof]).encode()))
    try:
        return transport.run(commit(DIGESTS[:1], **options))
    finally:
        transport.close()


def proofs(*data: bytes) -> list[Any]:
    notary = FakeNotary()
    return [json.loads(notary.commit(item)) for item in data]


def test_digests_are_sent_and_nothing_else() -> None:
    notary = FakeNotary()

    def answer(request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        assert sent == {
            "digests": [{"digestB64": to_base64(d), "hashAlg": "sha256"} for d in DIGESTS],
            "metadata": {"for": "a test"},
            "attestation": "fresh",
        }
        assert request.headers["idempotency-key"] == "mine"
        assert request.headers["authorization"] == "Bearer k"
        made = b",".join(notary.commit(data, metadata={"for": "a test"}) for data in DATA)
        return httpx.Response(200, content=b"[" + made + b"]")

    transport = through(answer)
    found = transport.run(commit(DIGESTS, metadata={"for": "a test"}, key="mine", fresh=True))
    transport.close()
    assert [proof.counter for proof in found] == ["1", "2"]
    assert [proof.proof for proof in found] == notary.proofs
    assert all(proof.verdict.accepted for proof in found)


def forged() -> list[Any]:
    made = proofs(*DATA)
    made[1]["commit"]["counter"] = "3"
    return made


@pytest.mark.parametrize(
    "answer",
    [
        lambda: list(reversed(proofs(*DATA))),
        lambda: proofs(b"two", b"one"),
        lambda: [*proofs(b"one"), *proofs(b"two")],
        forged,
        lambda: [{}, {}],
    ],
)
def test_each_answer_that_does_not_hold_is_refused(answer: Callable[[], Any]) -> None:
    with pytest.raises(CommitRejectedError):
        committed(answer())


@pytest.mark.parametrize(
    ("sent", "given"),
    [({"for": "me"}, {"for": "you"}), ({"for": "me"}, None), (None, {"for": "you"})],
)
def test_metadata_that_were_changed_on_the_way_are_noticed(sent: Any, given: Any) -> None:
    proof = json.loads(FakeNotary().commit(DATA[0], metadata=sent))
    assert through_one(proof, metadata=sent)[0].counter == "1"

    proof.pop("metadata", None)
    changed = proof if given is None else {**proof, "metadata": given}
    with pytest.raises(CommitChangedError, match="metadata"):
        through_one(changed, metadata=sent)


@pytest.mark.parametrize(("over", "is_taken"), [("epoch", False), ("commit", True)])
def test_who_asks_for_fresh_evidence_gets_no_other(*, over: str, is_taken: bool) -> None:
    nitro = FakeNitro()
    policy = NotaryPolicy.from_json(
        {
            "version": "adyton/policy/v1",
            "roots": {"fake": nitro.root_sha256.hex()},
            "platforms": {
                "insecure": {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": {"notary": {"pcr0": PCR0}},
                }
            },
            "evidence": {"maximum_age_seconds": 7200, "challenge": "not-required"},
        }
    )
    proof = json.loads(FakeNotary(nitro=nitro, over=over).commit(DATA[0]))

    assert through_one(proof, policy=policy)[0].verdict.accepted
    if is_taken:
        assert through_one(proof, policy=policy, fresh=True)[0].verdict.accepted
    else:
        with pytest.raises(CommitChangedError, match="evidence"):
            through_one(proof, policy=policy, fresh=True)


@pytest.mark.parametrize("answer", [[], {}, None, b"no json", [1], proofs(b"one"), b"["])
def test_what_is_no_answer_is_malformed(answer: Any) -> None:
    with pytest.raises(MalformedError):
        committed(answer)


def test_a_policy_says_whose_proofs_are_accepted() -> None:
    anchors = TrustAnchors(public_keys=frozenset({to_base64(bytes(32))}))
    with pytest.raises(CommitRejectedError, match="key is none"):
        committed(proofs(*DATA), policy=NotaryPolicy.of(signer=anchors))


def test_an_answer_without_end_is_cut_off() -> None:
    with pytest.raises(GatewayUnavailableError):
        committed(bytes(17 * 1024 * 1024))


@pytest.mark.parametrize("digests", [[], [bytes(31)], [bytes(32)] * 257])
def test_what_no_notary_takes_is_not_sent(digests: list[bytes]) -> None:
    with pytest.raises(ValueError):
        next(commit(digests))


# --- the log --------------------------------------------------------------------------------


class FakeLog:
    """A notary's log over HTTP, which may be rewritten."""

    def __init__(self, size: int) -> None:
        self.notary = FakeNotary()
        for number in range(size):
            self.notary.commit(bytes([number]))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/log/checkpoint":
            return httpx.Response(200, content=self.notary.checkpoint())
        if path.startswith("/v1/log/inclusion/"):
            return httpx.Response(200, content=self.notary.place(int(path[18:])).to_bytes())
        if path == "/v1/log/range":
            first, last = (int(request.url.params[name]) for name in ("first", "last"))
            lines = self.notary.proofs[first - 1 : last]
            return httpx.Response(200, content=b"".join(line + b"\n" for line in lines))
        if path == "/v1/log/epochs":
            key = to_base64(self.notary.key.public)
            epoch = {"first": "1", "publicKeyB64": key}
            shown = [] if request.url.params["after"] != "0" else [epoch]
            return httpx.Response(200, json={"epochs": shown})
        path_of = self.notary.consistency(int(request.url.params["old"]))
        return httpx.Response(200, json={"path": [to_base64(item) for item in path_of]})


def test_a_log_is_read_and_each_thing_checked() -> None:
    log = FakeLog(3)
    transport = through(log)
    old = open_checkpoint(log.notary.checkpoint(), keys=[log.notary.note_key])
    log.notary.commit(b"more")
    note = transport.run(newest_checkpoint())
    keys = transport.run(note_keys(origin_of(note)))
    assert keys == (log.notary.note_key,)
    new = open_checkpoint(note, keys=keys)
    assert (new.origin, new.size) == (ORIGIN, 4)
    transport.run(extends(old, new))
    transport.run(extends(new, new))
    assert transport.run(log_proof(2)).index == 1
    assert transport.run(logged(3, last=4)) == list(map(json.loads, log.notary.proofs[2:]))
    assert len(transport.run(logged(1, last=10**9))) == 4
    transport.close()


@pytest.mark.parametrize("answer", [b"", b"\n", b"no json\n", b"{}\n{}\n{}\n", b"{}\n\n"])
def test_a_range_that_is_none_is_malformed(answer: bytes) -> None:
    transport = through(lambda _request: httpx.Response(200, content=answer))
    with pytest.raises(MalformedError):
        transport.run(logged(7, last=8))
    transport.close()


def test_a_log_that_was_rewritten_does_not_extend_what_it_was() -> None:
    log, other = FakeLog(3), FakeLog(0)
    old = open_checkpoint(log.notary.checkpoint(), keys=[log.notary.note_key])
    for data in (b"another", b"history", b"of", b"events"):
        other.notary.commit(data)
    new = open_checkpoint(other.notary.checkpoint(), keys=[other.notary.note_key])
    transport = through(other)
    with pytest.raises(LogRewrittenError):
        transport.run(extends(old, new))
    with pytest.raises(LogRewrittenError):
        transport.run(extends(new, old))
    transport.close()


@pytest.mark.parametrize(
    "answer",
    [{}, [], {"path": "x"}, {"path": [1]}, {"path": ["AAAA"]}, {"path": ["A" * 44] * 200}],
)
def test_a_path_that_is_none_is_malformed(answer: Any) -> None:
    log = FakeLog(2)
    old = open_checkpoint(log.notary.checkpoint(1), keys=[log.notary.note_key])
    new = open_checkpoint(log.notary.checkpoint(), keys=[log.notary.note_key])
    transport = through(lambda _: httpx.Response(200, json=answer))
    with pytest.raises(MalformedError):
        transport.run(extends(old, new))
    transport.close()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"epochs": [1]},
        {"epochs": [{"first": 1, "publicKeyB64": "AAAA"}]},
        {"epochs": [{"first": "1", "publicKeyB64": "AAAA"}]},
        {"epochs": [{"first": "x", "publicKeyB64": "A" * 43 + "="}]},
    ],
)
def test_epochs_that_are_none_are_malformed(answer: Any) -> None:
    transport = through(lambda _: httpx.Response(200, json=answer))
    with pytest.raises(MalformedError):
        transport.run(note_keys(ORIGIN))
    transport.close()


def test_a_list_of_epochs_without_end_ends() -> None:
    epoch = {"first": "1", "publicKeyB64": to_base64(bytes(32))}
    transport = through(lambda _: httpx.Response(200, json={"epochs": [epoch]}))
    assert len(transport.run(note_keys(ORIGIN))) == 1
    transport.close()


@pytest.mark.parametrize("note", [b"\xff\n", bytes(70_000)])
def test_a_note_without_a_name_is_malformed(note: bytes) -> None:
    with pytest.raises(MalformedError):
        origin_of(note)


def test_an_answer_of_nothing_but_values_is_refused_before_it_is_read() -> None:
    with pytest.raises(MalformedError, match="values"):
        committed(b"[" + b"[]," * 1_000_000 + b"[]]")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"checkpoint": "x"},
        {"checkpoint": "x", "stampB64": "?"},
        {"checkpoint": 1, "stampB64": ""},
        {"checkpoint": "x", "stampB64": "A" * 90_000},
    ],
    ids=lambda _: "answer",
)
def test_a_stamped_checkpoint_that_is_none_is_malformed(answer: Any) -> None:
    transport = through(lambda _request: httpx.Response(200, json=answer))
    with pytest.raises(MalformedError):
        transport.run(stamped_checkpoint())
    transport.close()
