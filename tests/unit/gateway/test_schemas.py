"""The documented examples are questions that the readers of questions and predicates take."""

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from tests.fakes.gateway import QUESTION

from adyton.codec.json import canonical
from adyton.gateway.question_forms import EXAMPLES, QUESTIONS
from adyton.gateway.schemas import AnswerDocument, ProblemDocument
from adyton.model.question import Endpoint, Question
from adyton.model.value import FieldType
from adyton.proofs.circuit import Facts
from adyton.proofs.registry import CIRCUITS

NAMES = {
    Endpoint.BALANCE: "balance_threshold",
    Endpoint.INCOME: "income",
    Endpoint.EMPLOYMENT: "employment_status",
    Endpoint.EDUCATION: "credential_validity",
    Endpoint.CREDIT: "credit_score",
    Endpoint.TRANSACTIONS: "transaction_pattern",
    Endpoint.CUSTOM: "generic_predicate",
}
ALL = [
    pytest.param(endpoint, example, id=f"{endpoint}: {name}")
    for endpoint, examples in EXAMPLES.items()
    for name, example in examples.items()
]


@pytest.mark.parametrize(("endpoint", "example"), ALL)
def test_an_example_is_a_question(endpoint: Endpoint, example: dict[str, Any]) -> None:
    question = Question.from_bytes(endpoint, canonical(example))
    assert question.nonce == example["nonce"]


@pytest.mark.parametrize(("endpoint", "example"), ALL)
def test_an_examples_predicate_is_one_of_its_circuit(
    endpoint: Endpoint, example: dict[str, Any]
) -> None:
    facts = Facts(scale=2, time=1_770_114_600, months=12, type=FieldType.DECIMAL)
    parameters = CIRCUITS[NAMES[endpoint]]
    assert parameters.from_predicate(example["predicate"], facts).circuit == NAMES[endpoint]


@pytest.mark.parametrize(("endpoint", "example"), ALL)
def test_an_example_fits_its_schema(endpoint: Endpoint, example: dict[str, Any]) -> None:
    TypeAdapter(QUESTIONS[endpoint]).validate_python(example)


async def test_an_answer_fits_its_schema(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/verify/balance", json=QUESTION)
    AnswerDocument.model_validate(response.json())


async def test_a_problem_fits_its_schema(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/verify/balance", json={})
    ProblemDocument.model_validate(response.json())


async def test_every_reference_of_the_description_leads_somewhere(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_references(document)) <= known
    assert document["openapi"].startswith("3.1")


async def test_every_path_is_described(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["paths"].keys() == {
        *(f"/v1/verify/{endpoint}" for endpoint in Endpoint),
        "/v1/verify/proof",
        "/v1/attestation",
        "/v1/health",
        "/v1/providers",
        "/v1/circuits",
        "/metrics",
    }


async def test_what_may_be_left_out_may_not_be_null(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert '"null"' not in str(document).replace("'", '"')
    assert "None" not in str(document["components"]["schemas"]["BalanceQuestion"])


def _references(value: Any) -> list[str]:
    match value:
        case dict():
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for item in value.values() for found in _references(item)]
        case list():
            return [found for item in value for found in _references(item)]
        case _:
            return []
