"""What a client checks before it seals anything, and before it calls anything an answer."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.flips import flipped
from tests.fakes.workshop import CREDENTIALS, Workshop
from tests.unit.sdk.gateways import Asker, FakeVerifier, Gateway

from adyton.adapters.insecure import InsecurePlatform
from adyton.appraisal.policy import Policy
from adyton.codec.text import to_base64
from adyton.crypto.hpke import OpeningKey, SealSuite
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError
from adyton.model.receipt import MAX_RECEIPT_BYTES, Receipt
from adyton.sdk.asking import ReceiptRejectedError
from adyton.sdk.client import AsyncClient, Client
from adyton.sdk.transport import (
    GatewayError,
    GatewayMalformedError,
    GatewayRejectedError,
    GatewayTryLaterError,
    GatewayUnavailableError,
)
from adyton.sdk.worker import WorkerRejectedError

KINDS = ("blocking", "asynchronous")
PROBLEM = {"code": "replayed", "detail": "a sealed value was sent before"}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asker(kind: str, gateway: Gateway, **changes: Any) -> Asker:
    policy = changes.pop("policy", gateway.workshop.policy())
    return Asker(kind=kind, gateway=gateway, policy=policy, **changes)


def codes(error: WorkerRejectedError | ReceiptRejectedError) -> set[str]:
    return {finding.code for finding in error.verdict.reasons}


def test_a_question_is_answered(workshop: Workshop, kind: str) -> None:
    gateway = Gateway(workshop=workshop)
    answer = asker(kind, gateway).ask(nonce="mine", audience="a lender")
    assert answer.answer is True
    assert answer.verdict.accepted
    assert answer.receipt.statement.question.nonce == "mine"
    assert {"evidence", "seal", "answer", "verify"} <= answer.timings.keys()
    assert [path for path, _ in gateway.posted] == ["/v1/verify/balance"]
    assert gateway.headers[0]["authorization"] == "Bearer adk_key"


def test_no_credential_is_in_what_is_sent(workshop: Workshop, kind: str) -> None:
    gateway = Gateway(workshop=workshop)
    planted = dict.fromkeys(CREDENTIALS, "PLANTED")
    asker(kind, gateway).ask(credentials=planted)
    assert b"PLANTED" not in gateway.posted[0][1]


@pytest.mark.parametrize("suite", SealSuite)
def test_every_suite_seals(workshop: Workshop, kind: str, suite: SealSuite) -> None:
    assert asker(kind, Gateway(workshop=workshop), suite=suite).ask().answer is True


def test_evidence_is_asked_for_once_and_with_a_challenge_that_nobody_foresees(
    workshop: Workshop, kind: str
) -> None:
    gateway = Gateway(workshop=workshop)
    asker(kind, gateway).ask(times=3)
    asker(kind, gateway).ask()
    assert [len(challenge) for challenge in gateway.challenges] == [32, 32]
    assert len(set(gateway.challenges)) == 2
    assert len(gateway.posted) == 4


def test_every_question_has_a_nonce_of_its_own(workshop: Workshop, kind: str) -> None:
    gateway = Gateway(workshop=workshop)
    asker(kind, gateway).ask(times=2)
    assert len({json.loads(body)["nonce"] for _, body in gateway.posted}) == 2


def test_the_key_beside_the_manifest_is_not_sealed_to(workshop: Workshop, kind: str) -> None:
    # RFC-0023's enclave_public_key is outside of what the evidence is over.
    other = to_base64(OpeningKey.generate().public[SealSuite.X25519])
    gateway = Gateway(
        workshop=workshop, attestation=lambda answer: {**answer, "enclave_public_key": other}
    )
    assert asker(kind, gateway).ask().answer is True


def platform(folder: Path, *, ago: timedelta = timedelta(0), code: bytes = b"code") -> Any:
    registers = dict.fromkeys(range(3), code) if code else {}
    return InsecurePlatform.open(folder, measured=registers, clock=lambda: datetime.now(UTC) - ago)


def host_key(workshop: Workshop) -> Any:
    """The worker's manifest, with a sealing key that the host knows."""
    key = OpeningKey.generate().public[SealSuite.X25519]
    return replace(workshop.manifest, sealing_keys={"x25519": key})


WRONG: list[tuple[str, Callable[[Gateway, Path], Any], set[str]]] = [
    (
        "a root that nobody named",
        lambda gateway, folder: lambda c: gateway.mint(c, platform=platform(folder)),
        {"root-rejected"},
    ),
    (
        "another manifest",
        lambda gateway, _: (
            lambda c: gateway.mint(c, manifest=replace(gateway.workshop.manifest, started=1))
        ),
        {"report-data-mismatch"},
    ),
    (
        "another challenge",
        lambda gateway, _: lambda _c: gateway.mint(b"an earlier one"),
        {"report-data-mismatch", "evidence-nonce-mismatch"},
    ),
    (
        "no challenge",
        lambda gateway, _: lambda _c: gateway.mint(b""),
        {"report-data-mismatch", "evidence-nonce-mismatch"},
    ),
    (
        "the challenge in its place only",
        lambda gateway, _: lambda c: gateway.mint(c, over=b""),
        {"report-data-mismatch"},
    ),
    (
        "the challenge in the digest only",
        lambda gateway, _: lambda c: gateway.mint(c, nonce=b"another"),
        {"evidence-nonce-mismatch"},
    ),
    (
        "another public key",
        lambda gateway, _: lambda c: gateway.mint(c, public_key=b"k" * 32),
        {"public-key-mismatch"},
    ),
    ("nothing", lambda _gateway, _: lambda _c: b"", {"malformed"}),
    (
        "half a document",
        lambda gateway, _: lambda c: gateway.mint(c)[:2000],
        {"malformed"},
    ),
    (
        "a flipped signature",
        lambda gateway, _: lambda c: flipped(gateway.mint(c)),
        {"signature-rejected"},
    ),
]


@pytest.mark.parametrize(
    ("make", "expected"), [item[1:] for item in WRONG], ids=[item[0] for item in WRONG]
)
def test_nothing_is_sealed_to_a_worker_with_wrong_evidence(
    workshop: Workshop,
    kind: str,
    tmp_path: Path,
    make: Callable[[Gateway, Path], Any],
    expected: set[str],
) -> None:
    gateway = Gateway(workshop=workshop)
    gateway.evidence = make(gateway, tmp_path)
    with pytest.raises(WorkerRejectedError) as refused:
        asker(kind, gateway).ask()
    assert expected <= codes(refused.value) or "malformed" in expected
    assert gateway.posted == []


def test_nothing_is_sealed_to_a_key_that_the_evidence_is_not_over(
    workshop: Workshop, kind: str
) -> None:
    gateway = Gateway(workshop=workshop, manifest=host_key(workshop))
    with pytest.raises(WorkerRejectedError) as refused:
        asker(kind, gateway).ask()
    assert codes(refused.value) == {"report-data-mismatch"}
    assert gateway.posted == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"debug": True}, {"debug-mode"}),
        ({"ago": timedelta(minutes=30)}, {"evidence-too-old"}),
        ({"ago": timedelta(hours=4)}, {"certificate-not-valid-at-this-time"}),
        ({"ago": timedelta(minutes=-2)}, {"certificate-not-valid-at-this-time"}),
        ({"code": b"other code"}, {"measurement-rejected"}),
    ],
)
def test_nothing_is_sealed_to_a_worker_that_the_policy_does_not_accept(
    kind: str, tmp_path: Path, change: dict[str, Any], expected: set[str]
) -> None:
    workshop = Workshop.of(folder=tmp_path, clock=lambda: datetime.now(UTC))
    known = {f"pcr{index}": workshop.platform.registers[index].hex() for index in range(3)}
    record = workshop.policy_json()
    record["platforms"]["insecure"]["measurements"] = {"ours": known}
    if change.pop("debug", False):
        change["code"] = b""
    gateway = Gateway(workshop=workshop)
    gateway.evidence = lambda c: gateway.mint(c, platform=platform(tmp_path, **change))
    with pytest.raises(WorkerRejectedError) as refused:
        asker(kind, gateway, policy=Policy.from_json(record)).ask()
    assert expected <= codes(refused.value)
    assert gateway.posted == []


def test_nothing_is_sealed_where_the_policy_names_another_platform(
    workshop: Workshop, kind: str
) -> None:
    record = workshop.policy_json()
    record["platforms"] = {"nitro": record["platforms"]["insecure"]}
    gateway = Gateway(workshop=workshop)
    with pytest.raises(WorkerRejectedError) as refused:
        asker(kind, gateway, policy=Policy.from_json(record)).ask()
    assert "platform-not-in-policy" in codes(refused.value)
    assert gateway.posted == []


@pytest.mark.parametrize(
    "attestation",
    [
        lambda _answer: [],
        lambda _answer: {},
        lambda answer: {**answer, "manifest": {}},
        lambda answer: {**answer, "manifest": None},
        lambda answer: {**answer, "manifest": {**answer["manifest"], "more": 1}},
        lambda answer: {**answer, "manifest": {**answer["manifest"], "version": "2"}},
        lambda answer: {**answer, "attestation_document": "no base64!"},
        lambda answer: {**answer, "attestation_document": None},
        lambda answer: {**answer, "attestation_document": "A" * 200_000},
    ],
)
def test_nothing_is_sealed_where_the_attestation_cannot_be_read(
    workshop: Workshop, kind: str, attestation: Callable[[dict[str, Any]], Any]
) -> None:
    gateway = Gateway(workshop=workshop, attestation=attestation)
    with pytest.raises(MalformedError):
        asker(kind, gateway).ask()
    assert gateway.posted == []


def test_nothing_is_sealed_for_a_suite_that_the_worker_lacks(kind: str, tmp_path: Path) -> None:
    whole = Workshop.of(folder=tmp_path, clock=lambda: datetime.now(UTC))
    keys = {"x25519": whole.manifest.sealing_keys["x25519"]}
    workshop = replace(whole, manifest=replace(whole.manifest, sealing_keys=keys))
    gateway = Gateway(workshop=workshop)
    with pytest.raises(MalformedError, match="mlkem"):
        asker(kind, gateway, suite=SealSuite.MLKEM768_X25519).ask()
    assert gateway.posted == []


def test_a_receipt_that_does_not_hold_is_no_answer(workshop: Workshop, kind: str) -> None:
    gateway = Gateway(
        workshop=workshop, receipt=lambda receipt: replace(receipt, signature=bytes(64))
    )
    with pytest.raises(ReceiptRejectedError) as refused:
        asker(kind, gateway).ask()
    assert codes(refused.value) == {"signature-rejected"}
    assert refused.value.receipt.signature == bytes(64)


def test_an_answer_to_another_question_is_no_answer(workshop: Workshop, kind: str) -> None:
    other = workshop.receipt()
    gateway = Gateway(workshop=workshop, receipt=lambda _receipt: other)
    with pytest.raises(ReceiptRejectedError) as refused:
        asker(kind, gateway).ask()
    assert codes(refused.value) == {"question-mismatch", "nonce-mismatch", "sealed-mismatch"}


def test_an_answer_about_what_the_host_sealed_is_no_answer(workshop: Workshop, kind: str) -> None:
    # The host asks the very same question, with the token of an account of its own.
    host = Gateway(workshop=workshop)

    def swapped(receipt: Receipt) -> Receipt:
        asked = receipt.statement.question
        own = workshop.question(predicate=asked.predicate, nonce=asked.nonce)
        return host.certified(workshop.derive(own))

    gateway = Gateway(workshop=workshop, receipt=swapped)
    with pytest.raises(ReceiptRejectedError) as refused:
        asker(kind, gateway).ask()
    assert codes(refused.value) == {"sealed-mismatch"}


def test_a_proof_that_could_not_be_checked_is_no_answer(workshop: Workshop, kind: str) -> None:
    verifier = FakeVerifier()
    verifier.proofs.refusal = UnavailableError("bb is not installed")
    with pytest.raises(UnavailableError, match="bb is not"):
        asker(kind, Gateway(workshop=workshop), verifier=verifier).ask()


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"no json", b'{"proof": "AA=="}'])
def test_what_is_no_receipt_is_no_answer(workshop: Workshop, kind: str, body: bytes) -> None:
    gateway = Gateway(workshop=workshop, answers=[httpx.Response(200, content=body)])
    with pytest.raises(MalformedError):
        asker(kind, gateway).ask()


@pytest.mark.parametrize(
    ("status", "family", "branch"),
    [
        (400, GatewayMalformedError, MalformedError),
        (401, GatewayRejectedError, RejectedError),
        (403, GatewayRejectedError, RejectedError),
        (404, GatewayMalformedError, MalformedError),
        (413, GatewayMalformedError, MalformedError),
        (429, GatewayTryLaterError, UnavailableError),
        (500, GatewayTryLaterError, UnavailableError),
        (503, GatewayTryLaterError, UnavailableError),
    ],
)
def test_an_error_of_the_gateway_keeps_its_family_code_and_reason(
    workshop: Workshop,
    kind: str,
    status: int,
    family: type[GatewayError],
    branch: type[AdytonError],
) -> None:
    gateway = Gateway(workshop=workshop, answers=[httpx.Response(status, json=PROBLEM)])
    with pytest.raises(family) as refused:
        asker(kind, gateway).ask()
    assert isinstance(refused.value, branch)
    assert (refused.value.status, refused.value.code) == (status, "replayed")
    assert "a sealed value was sent before" in str(refused.value)


@pytest.mark.parametrize(
    ("status", "headers", "content"),
    [
        (502, {}, b"<html>Bad Gateway</html>"),
        (302, {"location": "https://elsewhere.example/"}, b""),
        (200, {}, b"x" * (MAX_RECEIPT_BYTES + 1)),
        (500, {}, b"x" * (MAX_RECEIPT_BYTES + 1)),
        (200, {"content-encoding": "gzip"}, gzip.compress(bytes(100_000))),
    ],
)
def test_what_does_not_answer_as_a_gateway_is_none(
    workshop: Workshop, kind: str, status: int, headers: dict[str, str], content: bytes
) -> None:
    answer = httpx.Response(status, headers=headers, content=content)
    gateway = Gateway(workshop=workshop, answers=[answer])
    with pytest.raises(GatewayUnavailableError):
        asker(kind, gateway).ask()


def test_a_reason_cannot_write_to_a_terminal(workshop: Workshop, kind: str) -> None:
    evil = {"code": "\x1b[2Jevil", "detail": "\x1b[2J\rall is well\x07" + "!" * 10_000}
    gateway = Gateway(workshop=workshop, answers=[httpx.Response(403, json=evil)])
    with pytest.raises(GatewayRejectedError) as refused:
        asker(kind, gateway).ask()
    assert refused.value.code == "unknown"
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1000


def test_a_gateway_that_is_not_there_is_unavailable(workshop: Workshop, kind: str) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(GatewayUnavailableError):
        Asker(kind=kind, gateway=nobody, policy=workshop.policy()).ask()


def test_after_a_box_that_does_not_open_the_worker_is_judged_again(
    workshop: Workshop, kind: str
) -> None:
    refusal = httpx.Response(403, json={"code": "seal-rejected", "detail": "it does not open"})
    gateway = Gateway(workshop=workshop, answers=[refusal])
    arguments: dict[str, Any] = {
        "api_key": "k",
        "policy": workshop.policy(),
        "verifier": FakeVerifier(),
        "transport": httpx.MockTransport(gateway),
    }
    with Client("http://gateway", **arguments) as client:
        with pytest.raises(GatewayRejectedError):
            client.ask("balance", {"type": "gte", "threshold": 1}, credentials=CREDENTIALS)
        assert client.ask(
            "balance", {"type": "gte", "threshold": 1}, credentials=CREDENTIALS
        ).answer
    assert len(gateway.challenges) == 2


def test_an_unknown_endpoint_blames_the_caller(workshop: Workshop, kind: str) -> None:
    gateway = Gateway(workshop=workshop)
    with pytest.raises(ValueError):
        asker(kind, gateway).ask(endpoint="nothing")
    assert gateway.headers == []


def test_a_given_verifier_is_left_open(workshop: Workshop, kind: str) -> None:
    verifier = FakeVerifier()
    asker(kind, Gateway(workshop=workshop), verifier=verifier).ask()
    assert not verifier.is_closed


@pytest.mark.parametrize("make", [Client, AsyncClient])
async def test_a_clients_own_verifier_ends_with_it(
    workshop: Workshop, make: type[Client] | type[AsyncClient]
) -> None:
    client = make("http://gateway", api_key="k", policy=workshop.policy())
    own = FakeVerifier()
    client._session.verifier = own  # type: ignore[assignment]
    closing = client.close()
    if closing is not None:
        await closing
    assert own.is_closed
