"""A gateway that runs: evidence in processes of their own, results with a key of its own."""

import stat
from pathlib import Path

import httpx
import psutil
from tests.fakes.host import hosting
from tests.unit.gateway.test_evidence import body

from adyton.appraisal.ear import Tier, verify_ear
from adyton.crypto.jwk import JwkSet
from adyton.verification.bundle import read_instant


def processes() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def modes(folder: Path, pattern: str) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in folder.glob(pattern)]


async def test_a_gateway_verifies_beside_itself_and_ends_what_it_started(tmp_path: Path) -> None:
    before = processes()
    async with hosting(tmp_path, worker=False) as host, host.client() as client:
        assert processes() <= before
        response = await client.post("/v1/evidence/verify", json=body(at="2026-11-20T12:00:00Z"))
        assert response.json()["accepted"] is True
        started = processes() - before
        assert started
    assert processes() <= before


async def test_a_result_is_signed_with_a_key_in_the_gateways_folder(tmp_path: Path) -> None:
    async with hosting(tmp_path, worker=False) as host, host.client() as client:
        answer = (await client.post("/v1/evidence/verify", json=body(ear=True))).json()
        anybody = httpx.AsyncClient(base_url=client.base_url)
        async with anybody:
            keys = JwkSet.from_bytes((await anybody.get("/v1/evidence/keys")).content)
        ear = verify_ear(answer["ear"], keys=keys, at=read_instant(answer["at"], "at"))
        assert (ear.status is Tier.WARNING) is answer["accepted"]
    assert modes(tmp_path, "*.pem") == [0o600]
