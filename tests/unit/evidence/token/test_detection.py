import pytest
from tests.fakes.tokens import SERVICES, part

from adyton.errors import MalformedError
from adyton.evidence.formats import Format, detect
from adyton.evidence.token.detection import unverified_issuer
from adyton.evidence.token.services import GOOGLE, INTEL, NVIDIA, Issuer, Service

AZURE = Issuer(service=Service.AZURE_ATTESTATION, name="https://sharedweu.weu.attest.azure.net")


def named(issuer: str) -> bytes:
    return f"{part({'alg': 'RS256'})}.{part({'iss': issuer})}.AAAA".encode()


@pytest.mark.parametrize(
    "issuer",
    [
        INTEL,
        GOOGLE,
        NVIDIA,
        AZURE,
        Issuer(
            service=Service.INTEL_TRUST_AUTHORITY,
            name="https://portal.eu.trustauthority.intel.com",
        ),
        Issuer(service=Service.INTEL_TRUST_AUTHORITY, name="Intel Trust Authority"),
        Issuer(service=Service.AZURE_ATTESTATION, name="https://mine.ugv.attest.azure.us"),
        Issuer(service=Service.NVIDIA_NRAS, name="https://nras.attestation-stg.nvidia.com"),
    ],
    ids=lambda issuer: issuer.name,
)
def test_a_service_is_known_by_its_address(issuer: Issuer) -> None:
    token = named(issuer.name)
    assert unverified_issuer(token) == issuer
    assert detect(token) is Format.TOKEN


def test_a_bundle_is_a_token_whatever_is_around_it() -> None:
    bundle = SERVICES[Service.NVIDIA_NRAS].bundle(iss=NVIDIA.name)
    for data in (bundle, b"\n " + bundle.replace(b"[[", b"[\n  [\n    ", 1)):
        assert detect(data) is Format.TOKEN
        assert unverified_issuer(data) == NVIDIA


@pytest.mark.parametrize(
    "token",
    [
        named("https://attest.azure.net.attacker.example"),
        named("https://a.b.attest.azure.net.attacker.example"),
        named("https://attacker.example/https://a.b.attest.azure.net"),
        named("http://confidentialcomputing.googleapis.com"),
        named("https://confidentialcomputing.googleapis.com\n"),
        named("https://portal.trustauthority.intel.com.attacker.example"),
        named(""),
        "é.é.é".encode(),
        b"a.b.c",
        b"[",
        b"",
    ],
    ids=[
        "below",
        "behind",
        "inside",
        "http",
        "newline",
        "intel",
        "nobody",
        "letter",
        "no",
        "[",
        "",
    ],
)
def test_nobody_else_is(token: bytes) -> None:
    with pytest.raises(MalformedError):
        unverified_issuer(token)
