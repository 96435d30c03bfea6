"""A circuit that was left with a worker is named by its digest, and by no other."""

import asyncio
import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from tests.fakes.workshop import Workshop

from adyton.codec.json import JsonObject
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError, RejectedError
from adyton.model.proving_job import Inputs, RegisteredCircuit, UltraHonkJob
from adyton.sdk.client import AsyncClient, Client
from adyton.sdk.files import FileUnreadableError
from adyton.sdk.programs import circuit_digest, noir_job

KINDS = ("blocking", "asynchronous")
PROGRAM = b"a program"
BYTECODE = gzip.compress(PROGRAM, mtime=0)
ARTIFACT: dict[str, Any] = {
    "bytecode": base64.b64encode(BYTECODE).decode(),
    "abi": {"parameters": [], "return_type": None, "error_types": {"1": "for debuggers"}},
}
OTHER = {**ARTIFACT, "bytecode": base64.b64encode(gzip.compress(b"another")).decode()}
REGISTERED = RegisteredCircuit(digest=sha256(PROGRAM))


@dataclass
class Gateway:
    """Keeps the requests, and answers as a gateway does, or with what it is given."""

    answer: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        good = {"circuit": REGISTERED.digest.hex(), "verification_key": "AA==", "gates": 4}
        return httpx.Response(self.status, json={**good, **self.answer})


def register(kind: str, gateway: Gateway, workshop: Workshop, **asked: Any) -> RegisteredCircuit:
    arguments: dict[str, Any] = {
        "api_key": "adk_key",
        "policy": workshop.policy(),
        "transport": httpx.MockTransport(gateway),
    }
    if kind == "blocking":
        with Client("http://gateway", **arguments) as client:
            return client.register_circuit(ARTIFACT, **asked)

    async def work() -> RegisteredCircuit:
        async with AsyncClient("http://gateway", **arguments) as client:
            return await client.register_circuit(ARTIFACT, **asked)

    return asyncio.run(work())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", ["evm", "noir-recursive"])
def test_a_program_is_left_with_a_worker(kind: str, target: str, workshop: Workshop) -> None:
    gateway = Gateway()

    assert register(kind, gateway, workshop, target=target) == REGISTERED

    (request,) = gateway.requests
    assert (request.method, request.url.path) == ("POST", "/v1/prove/circuits")
    assert request.headers["authorization"] == "Bearer adk_key"
    assert json.loads(request.content) == {"bytecode": ARTIFACT["bytecode"], "target": target}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("said", ["ab" * 32, REGISTERED.digest.hex().upper(), None, 7])
def test_a_gateway_that_registered_something_else_is_found_out(
    kind: str, said: object, workshop: Workshop
) -> None:
    with pytest.raises(MalformedError, match="another circuit"):
        register(kind, Gateway(answer={"circuit": said}), workshop)


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_keeps_its_code(kind: str, workshop: Workshop) -> None:
    gateway = Gateway(answer={"code": "circuit-too-large", "detail": "no"}, status=403)
    with pytest.raises(RejectedError) as caught:
        register(kind, gateway, workshop)
    assert getattr(caught.value, "code", "") == "circuit-too-large"


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_that_there_is_not_blames_the_caller(kind: str, workshop: Workshop) -> None:
    gateway = Gateway()
    with pytest.raises(ValueError, match="svm"):
        register(kind, gateway, workshop, target="svm")
    assert gateway.requests == []


def test_a_registered_program_is_named_and_not_sent() -> None:
    job = noir_job(ARTIFACT, inputs={"x": 1}, circuit=REGISTERED)
    used: JsonObject = {"parameters": [], "return_type": None}
    assert job == UltraHonkJob(circuit=REGISTERED, solution=Inputs(values={"x": 1}, abi=used))
    assert circuit_digest(job) == circuit_digest(noir_job(ARTIFACT, inputs={"x": 1}))


@pytest.mark.parametrize("artifact", [None, ARTIFACT], ids=["without", "with"])
def test_a_solved_witness_needs_the_digest_alone(artifact: dict[str, Any] | None) -> None:
    job = noir_job(artifact, witness=b"solved", circuit=REGISTERED)
    assert job == UltraHonkJob(circuit=REGISTERED, solution=b"solved")


def test_an_artifact_of_another_program_is_not_proven_under_this_digest() -> None:
    with pytest.raises(MalformedError, match="another program"):
        noir_job(OTHER, inputs={"x": 1}, circuit=REGISTERED)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"artifact": ARTIFACT}, "with inputs or with a witness"),
        ({"artifact": ARTIFACT, "inputs": {}, "witness": b"w"}, "with inputs or with a witness"),
        ({"artifact": None, "witness": b"w"}, "an artifact, or a circuit"),
        ({"artifact": None, "inputs": {}, "circuit": REGISTERED}, "give a witness"),
        (
            {"artifact": ARTIFACT, "inputs": {}, "circuit": REGISTERED, "key": b"k"},
            "is the worker's",
        ),
    ],
)
def test_half_of_a_job_blames_the_caller(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        noir_job(**given)


def test_what_is_no_artifact_is_malformed_and_what_is_not_there_unreadable() -> None:
    for broken in ({}, {"bytecode": 7}, {"bytecode": "?"}):
        with pytest.raises(MalformedError):
            noir_job(broken, witness=b"w")
    with pytest.raises(MalformedError, match="abi"):
        noir_job({"bytecode": ARTIFACT["bytecode"]}, inputs={})
    with pytest.raises(FileUnreadableError):
        noir_job("nowhere.json", inputs={})
