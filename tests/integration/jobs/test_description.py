"""What the description of the API says of delegated proofs, and what is left without TEE-Rex."""

from dataclasses import replace
from pathlib import Path

from tests.integration.jobs.conftest import SETTINGS, ProvingGateway

from adyton.adapters.store import open_store
from adyton.gateway.proving.settings import Switch
from adyton.model.proving import MEDIA_TYPE


async def test_the_description_has_every_path_and_the_type_of_its_body(
    gateway: ProvingGateway,
) -> None:
    async with gateway.client() as client:
        document = (await client.get("/openapi.json")).json()
        page = await client.get("/docs")

    paths = document["paths"]
    assert {"get", "delete"} == paths["/v1/jobs/{id}"].keys()
    assert MEDIA_TYPE in paths["/v1/prove"]["post"]["requestBody"]["content"]
    assert {"/prove", "/attestation", "/encryption-public-key", "/health"} <= paths.keys()
    assert "/v1/jobs/{id}/events" in page.text


async def test_without_tee_rex_its_paths_are_not_there_and_the_greeting_is(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/adyton.db") as store:
        gateway = ProvingGateway(store, settings=replace(SETTINGS, tee_rex=Switch.OFF))
        async with gateway.client() as client:
            answers = [await client.get(path) for path in ("/attestation", "/health")]
            proof = await client.post("/prove", json={"data": "AAAA"})

    assert [answer.status_code for answer in answers] == [404, 200]
    assert proof.status_code == 404
    assert answers[1].json()["ok"] is True
