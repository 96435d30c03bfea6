from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.workshop import CREDENTIALS, GTE, Workshop, providers

from adyton.codec.json import Json, JsonObject, canonical
from adyton.codec.text import to_base64
from adyton.crypto.hpke import OpeningKey, SealRejectedError, SealSuite, seal
from adyton.errors import MalformedError, RejectedError
from adyton.flow.open import ProviderUnknownError, open_sealed
from adyton.flow.stages import Opened
from adyton.model.question import (
    SEALED_MARK,
    TOKEN_LOCATION,
    Endpoint,
    Question,
    UnsealedCredentialError,
    seal_info,
)
from adyton.model.sealing import FromTheFutureError, TooOldError

TOKEN = TOKEN_LOCATION[1:]
BROUGHT: JsonObject = {
    "url": "https://api.example.com/data",
    "method": "GET",
    "headers": {"Authorization": SEALED_MARK},
}
EXTRACTION: JsonObject = {"type": "jsonPath", "pattern": "$.data.balance"}
GENERIC = {"url": "https://api.example.com/data", "method": "GET"}


def opened(workshop: Workshop, question: Question, *, later: float = 0.0) -> Opened:
    return open_sealed(
        question,
        opener=workshop.opening,
        providers=providers(),
        now=workshop.ports.clock() + timedelta(seconds=later),
    )


def sealed(
    workshop: Workshop,
    body: Mapping[str, Any],
    secrets: Mapping[str, Any],
    *,
    endpoint: Endpoint = Endpoint.BALANCE,
    suite: SealSuite = SealSuite.X25519,
    plaintext: bytes | None = None,
) -> Question:
    """A question with any value sealed in any place, whether a client would do that or not."""
    whole: dict[str, Any] = {"predicate": GTE, "nonce": "n", **body}
    bound = Question.from_json(endpoint, whole).bound
    issued = int(workshop.ports.clock().timestamp())
    for place, value in secrets.items():
        inner = canonical({"issued_at": issued, "value": value})
        box = seal(
            workshop.opening.public[suite],
            plaintext or inner,
            suite=suite,
            info=seal_info(place, bound),
        )
        *path, last = place[1:].split("/")
        target = whole
        for name in path:
            target = target[name]
        target[last] = to_base64(box) if place == TOKEN_LOCATION else SEALED_MARK + to_base64(box)
    return Question.from_json(endpoint, whole)


def test_a_sealed_question_opens(workshop: Workshop) -> None:
    found = opened(workshop, workshop.question())
    assert found.credentials == CREDENTIALS
    assert found.definition.id == "plaid-balance"
    assert found.provider_digest == providers()["plaid-balance"].digest()
    assert found.time == workshop.ports.clock()


@pytest.mark.parametrize("suite", SealSuite)
def test_step_1_every_suite_opens(workshop: Workshop, suite: SealSuite) -> None:
    question = sealed(workshop, {TOKEN: SEALED_MARK}, {TOKEN_LOCATION: CREDENTIALS}, suite=suite)
    assert opened(workshop, question).credentials == CREDENTIALS


def test_step_1_another_workers_key_does_not_open(workshop: Workshop) -> None:
    with pytest.raises(SealRejectedError):
        open_sealed(
            workshop.question(),
            opener=OpeningKey.generate(),
            providers=providers(),
            now=workshop.ports.clock(),
        )


def test_step_1_a_box_does_not_open_in_another_question(workshop: Workshop) -> None:
    question = workshop.question()
    box = to_base64(question.sealed[0].box)
    body: JsonObject = {**question.request, "nonce": "another", TOKEN: box}
    with pytest.raises(SealRejectedError):
        opened(workshop, Question.from_json(Endpoint.BALANCE, body))


def test_step_1_a_box_does_not_open_in_another_place(workshop: Workshop) -> None:
    credentials: dict[str, Json] = {"access_token": SEALED_MARK, "secret": SEALED_MARK}
    places = ("/credentials/access_token", "/credentials/secret")
    question = sealed(workshop, {"credentials": credentials}, dict.fromkeys(places, "token"))
    first, second = question.sealed
    swapped: JsonObject = {
        **question.request,
        "credentials": {
            "access_token": SEALED_MARK + to_base64(second.box),
            "secret": SEALED_MARK + to_base64(first.box),
        },
    }
    with pytest.raises(SealRejectedError):
        opened(workshop, Question.from_json(Endpoint.BALANCE, swapped))


@pytest.mark.parametrize("later", [0, 299, -60])
def test_step_2_what_is_fresh_opens(workshop: Workshop, later: float) -> None:
    assert opened(workshop, workshop.question(), later=later).credentials == CREDENTIALS


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (300, TooOldError),
        (10**9, TooOldError),
        (-61, FromTheFutureError),
        (-(10**9), FromTheFutureError),
    ],
)
def test_step_2_what_is_not_fresh_is_refused(
    workshop: Workshop, later: float, reason: type[RejectedError]
) -> None:
    with pytest.raises(reason):
        opened(workshop, workshop.question(), later=later)


@pytest.mark.parametrize(
    "plaintext", [b"no json", b"[]", b'{"value": "t"}', b'{"issued_at": "1", "value": "t"}']
)
def test_step_2_what_says_no_time_is_malformed(workshop: Workshop, plaintext: bytes) -> None:
    question = sealed(workshop, {TOKEN: SEALED_MARK}, {TOKEN_LOCATION: None}, plaintext=plaintext)
    with pytest.raises(MalformedError):
        opened(workshop, question)


@pytest.mark.parametrize(
    ("endpoint", "provider"),
    [("balance", "nobody"), ("balance", "plaid-income"), ("income", "plaid-balance")],
)
def test_step_3_a_provider_that_does_not_answer_here_is_unknown(
    workshop: Workshop, endpoint: str, provider: str
) -> None:
    with pytest.raises(ProviderUnknownError):
        opened(workshop, workshop.question(endpoint, provider=provider))


def test_step_3_every_provider_answers_at_custom(workshop: Workshop) -> None:
    found = opened(workshop, workshop.question("custom", provider="plaid-balance"))
    assert found.definition.id == "plaid-balance"


def test_step_3_a_provider_that_knows_what_to_extract_takes_no_rule(workshop: Workshop) -> None:
    question = workshop.question("custom", provider="plaid-balance", extraction=EXTRACTION)
    with pytest.raises(MalformedError):
        opened(workshop, question)


def test_step_3_the_generic_provider_is_completed_and_keeps_its_digest(
    workshop: Workshop,
) -> None:
    question = workshop.question(
        "custom",
        provider="generic-http",
        credentials=GENERIC,
        extraction={"path": "$.a", "type": "Integer"},
    )
    found = opened(workshop, question)
    assert not found.definition.is_open
    assert found.provider_digest == providers()["generic-http"].digest()
    assert found.definition.digest() != found.provider_digest


def test_step_3_a_provider_comes_with_the_question(workshop: Workshop) -> None:
    question = workshop.question(
        "custom",
        provider=BROUGHT,
        credentials={},
        secrets={"/provider/headers/Authorization": "Bearer t"},
        response_extraction=EXTRACTION,
    )
    found = opened(workshop, question)
    assert list(found.credentials.values()) == ["Bearer t"]
    assert found.provider_digest == found.definition.digest()


def test_step_4_a_credential_that_must_be_sealed_is_refused_in_the_clear(
    workshop: Workshop,
) -> None:
    body: JsonObject = {
        "predicate": GTE,
        "nonce": "n",
        "credentials": {"client_id": "c", "secret": "s"},
    }
    with pytest.raises(UnsealedCredentialError) as refused:
        opened(workshop, Question.from_json(Endpoint.BALANCE, body))
    assert refused.value.name == "secret"


def test_step_4_a_credential_that_need_not_be_sealed_is_taken_either_way(
    workshop: Workshop,
) -> None:
    token = {"access_token": "token", "secret": "s"}
    clear = sealed(
        workshop,
        {TOKEN: SEALED_MARK, "credentials": {"client_id": "c"}},
        {TOKEN_LOCATION: token},
    )
    hidden = sealed(
        workshop,
        {TOKEN: SEALED_MARK, "credentials": {"client_id": SEALED_MARK}},
        {TOKEN_LOCATION: token, "/credentials/client_id": "c"},
    )
    assert opened(workshop, clear).credentials == CREDENTIALS
    assert opened(workshop, hidden).credentials == CREDENTIALS


def test_step_4_rfc_0023s_bare_token_is_the_first_sealed_credential(workshop: Workshop) -> None:
    question = sealed(workshop, {TOKEN: SEALED_MARK}, {TOKEN_LOCATION: "token"})
    assert opened(workshop, question).credentials == {"access_token": "token"}


def test_step_4_a_bare_token_is_never_one_that_goes_in_the_clear(workshop: Workshop) -> None:
    # generic-http names its url first, which the asker shows; the headers hold the secret.
    question = sealed(
        workshop,
        {
            TOKEN: SEALED_MARK,
            "provider_id": "generic-http",
            "credentials": dict(GENERIC),
            "extraction": {"path": "$.a", "type": "Integer"},
        },
        {TOKEN_LOCATION: "{}"},
        endpoint=Endpoint.CUSTOM,
    )
    assert opened(workshop, question).credentials == {**GENERIC, "headers": "{}"}


def test_step_4_a_long_token_is_taken(workshop: Workshop) -> None:
    # Tokens with claims inside have many thousand characters.
    for value in ("t" * 10_000, {"access_token": "t" * 10_000}):
        question = sealed(workshop, {TOKEN: SEALED_MARK}, {TOKEN_LOCATION: value})
        assert len(opened(workshop, question).credentials["access_token"]) == 10_000


def test_step_4_a_credential_from_two_places_is_malformed(workshop: Workshop) -> None:
    question = sealed(
        workshop,
        {TOKEN: SEALED_MARK, "credentials": {"client_id": "other"}},
        {TOKEN_LOCATION: CREDENTIALS},
    )
    with pytest.raises(MalformedError, match="twice"):
        opened(workshop, question)


def test_step_4_null_is_no_credential(workshop: Workshop) -> None:
    question = sealed(
        workshop,
        {TOKEN: SEALED_MARK, "credentials": {"client_id": None, "secret": None}},
        {TOKEN_LOCATION: "token"},
    )
    assert opened(workshop, question).credentials == {"access_token": "token"}


@pytest.mark.parametrize("value", [None, 7, [], True, {"access_token": 7}])
def test_step_4_a_sealed_value_that_is_no_credential_is_malformed(
    workshop: Workshop, value: Json
) -> None:
    question = sealed(workshop, {TOKEN: SEALED_MARK}, {TOKEN_LOCATION: value})
    with pytest.raises(MalformedError):
        opened(workshop, question)


def test_step_4_a_sealed_value_where_none_is_read_is_malformed(workshop: Workshop) -> None:
    question = sealed(
        workshop,
        {TOKEN: SEALED_MARK, "predicate": {**GTE, "currency": SEALED_MARK}},
        {TOKEN_LOCATION: CREDENTIALS, "/predicate/currency": "USD"},
    )
    with pytest.raises(MalformedError, match="/predicate/currency"):
        opened(workshop, question)


def test_step_4_a_token_that_the_provider_does_not_take_is_malformed(workshop: Workshop) -> None:
    question = sealed(
        workshop,
        {
            TOKEN: SEALED_MARK,
            "provider": {"url": "https://api.example.com/", "method": "GET"},
            "response_extraction": EXTRACTION,
        },
        {TOKEN_LOCATION: "token"},
        endpoint=Endpoint.CUSTOM,
    )
    with pytest.raises(MalformedError, match="takes no sealed credential"):
        opened(workshop, question)


def test_the_salt_of_an_ownership_question_is_no_credential_of_the_provider(
    workshop: Workshop,
) -> None:
    question = workshop.question(
        "custom",
        {"type": "owns"},
        provider="plaid-identity",
        credentials={**CREDENTIALS, "salt": "5f" * 16},
    )
    found = opened(workshop, question)
    assert found.salt == "5f" * 16
    assert found.credentials == CREDENTIALS


def test_one_credential_is_one_subject_whatever_is_asked(workshop: Workshop) -> None:
    one = opened(workshop, workshop.question()).subject
    two = opened(
        workshop,
        workshop.question(
            predicate={"type": "lte", "threshold": 5},
            nonce="m",
            audience="a",
            credentials={**CREDENTIALS, "client_id": "another app"},
        ),
    ).subject
    assert one is not None
    assert one == two


def test_another_credential_is_another_subject(workshop: Workshop) -> None:
    other = {**CREDENTIALS, "access_token": "of somebody else"}
    one = opened(workshop, workshop.question()).subject
    assert one != opened(workshop, workshop.question(credentials=other)).subject


def test_without_a_sealed_credential_there_is_no_subject(workshop: Workshop) -> None:
    question = workshop.question(
        "custom",
        provider={"url": "https://api.example.com/", "method": "GET"},
        credentials={},
        response_extraction=EXTRACTION,
    )
    assert opened(workshop, question).subject is None


def test_what_was_opened_is_not_in_its_text(workshop: Workshop) -> None:
    question = workshop.question(credentials={**CREDENTIALS, "access_token": "PLANTED"})
    assert "PLANTED" not in repr(opened(workshop, question))
