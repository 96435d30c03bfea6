import hashlib
from typing import Any

import pytest
from tests.fakes.amd import NOW, FakeAmd, List
from tests.fakes.amd_azure import FakeAzureSnp
from tests.fakes.intel_azure import NONCE, REGISTERS, base64url

from adyton.crypto.crl import CertificateRevokedError
from adyton.crypto.path import CertificateRejectedError
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.azure.snp import AzureSnpClaims, authenticate
from adyton.evidence.azure.vtpm import RegistersRejectedError, RuntimeDataRejectedError

AMD = FakeAmd("Milan")
AZURE = FakeAzureSnp(AMD)


def authenticated(data: bytes, *, crl: bytes | None = None, **changes: Any) -> AzureSnpClaims:
    arguments: dict[str, Any] = {
        "collateral": AMD.collateral(vek=None, crl=crl),
        "roots": AMD.roots,
        "at": NOW,
        **changes,
    }
    return authenticate(data, **arguments)


@pytest.mark.parametrize("envelope", [None, {}])
def test_a_good_bundle_says_what_the_vtpm_measured(envelope: dict[str, Any] | None) -> None:
    claims = authenticated(AZURE.bundle(envelope=envelope), crl=AMD.crl())
    assert claims.vtpm.registers == dict(enumerate(REGISTERS))
    assert claims.vtpm.nonce == NONCE
    assert claims.snp.report.report_data[:32] == hashlib.sha256(AZURE.runtime_data()).digest()
    assert claims.snp.crl is not None


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        # Step 1
        ({"version": 2}, MalformedError),
        ({"vcek": ...}, MalformedError),
        ({"vcek": "A+"}, MalformedError),
        ({"td_quote": ""}, MalformedError),
        ({"envelope": {"platform": "az-tdx"}}, MalformedError),
        ({"envelope": {"evidence": 1}}, MalformedError),
        ({"envelope": {"more": 1}}, MalformedError),
        ({"hcl": {"signature": b"HCLB"}}, MalformedError),
        # Step 2
        ({"report": {"signature": bytes(512)}}, SignatureRejectedError),
        ({"report": {"version": 6}}, MalformedError),
        ({"vcek": base64url(AMD.authority_der)}, CertificateRejectedError),
        # Step 3
        ({"report": {"vmpl": 1}}, RuntimeDataRejectedError),
        ({"report": {"vmpl": 0xFFFFFFFF}}, RuntimeDataRejectedError),
        # Step 4
        ({"hcl": {"report_type": 4}}, RuntimeDataRejectedError),
        ({"report": {"report_data": bytes(64)}}, RuntimeDataRejectedError),
        ({"signature": bytes(256)}, SignatureRejectedError),
        ({"registers": REGISTERS[::-1]}, RegistersRejectedError),
    ],
)
def test_each_broken_step_is_refused(broken: dict[str, Any], reason: type[AdytonError]) -> None:
    with pytest.raises(reason):
        authenticated(AZURE.bundle(**broken))


def test_a_revoked_authority_is_refused() -> None:
    with pytest.raises(CertificateRevokedError):
        authenticated(AZURE.bundle(), crl=AMD.crl(List(revoked=(65537,))))
