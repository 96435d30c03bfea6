"""Real evidence over Tenzro's path, at its time: what holds is said, and nothing else."""

from datetime import datetime
from typing import Any

import pytest
from tests.fakes.appraiser import DirectAppraiser
from tests.fakes.gateway import FakeGateway
from tests.vectors.manifest import NO_VECTORS, Entry, content, entries_of, instant
from tests.vectors.snp import collateral_of, window

from adyton.gateway.routes import Capability
from adyton.gateway.tenzro import Tenzro

NITRO = [entry for entry in entries_of("nitro") if entry["verdict"] == "ACCEPT"]
SNP = [
    entry
    for entry in entries_of("snp")
    if entry["verdict"] == "ACCEPT" and entry["file"].endswith(".report.bin")
]
TDX = [entry for entry in entries_of("tdx") if "UpToDate" in entry["verdict"]]

pytestmark = pytest.mark.skipif(not NITRO, reason=NO_VECTORS)


class VectorGateway(FakeGateway):
    def __init__(self, at: datetime) -> None:
        self.at = at
        super().__init__()

    def capabilities(self) -> tuple[Capability, ...]:
        return (Tenzro(door=self.door, appraiser=DirectAppraiser(), clock=lambda: self.at),)


async def asked(at: datetime, **body: Any) -> dict[str, Any]:
    async with VectorGateway(at).client() as client:
        response = await client.post("/api/verify/tee-attestation", json=body)
    answer: dict[str, Any] = response.json()
    return answer


def named(entry: Entry) -> str:
    file: str = entry["file"]
    return file


@pytest.mark.parametrize("entry", NITRO, ids=named)
async def test_a_nitro_enclave_is_verified(entry: Entry) -> None:
    launched = entry["fields"]["pcrs"]["4" if "nitrotpm" in entry["file"] else "0"]
    answer = await asked(
        instant(entry["verify_at"]),
        attestation=content(entry).hex(),
        provider="AwsNitro",
        measurement=launched,
    )
    found = [answer[name] for name in TRUTHS]
    assert found == [True] * 4, answer["details"]["reasons"]


@pytest.mark.parametrize("entry", SNP, ids=named)
async def test_an_snp_guest_is_verified_with_its_certificates(entry: Entry) -> None:
    parts = collateral_of(entry)
    assert parts.vek is not None
    answer = await asked(
        window(entry)[0],
        report_hex=content(entry).hex(),
        vendor="amd_sev_snp",
        certificate_chain=[parts.vek.hex(), parts.authority.hex(), parts.ark.hex()],
    )
    found = [answer[name] for name in TRUTHS]
    assert found == [True, True, False, True], answer["details"]["reasons"]


@pytest.mark.parametrize("entry", TDX, ids=named)
async def test_a_trust_domain_is_verified(entry: Entry) -> None:
    answer = await asked(
        instant(entry["verify_at"]), quote=content(entry).hex(), tee_type="intel-tdx"
    )
    found = [answer[name] for name in TRUTHS]
    assert found == [True, True, False, True], answer["details"]["reasons"]


TRUTHS = ("valid", "hardware_verified", "measurements_valid", "certificate_chain_valid")
