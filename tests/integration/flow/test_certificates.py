"""A server on a real socket, with each certificate that the sandbox can show."""

import ssl

import pytest
from tests.integration.flow.machinery import running_sandbox
from tests.unit.adapters.test_tls import Get

from adyton.adapters.tls import HttpsClient, SourceTlsError, trust
from adyton.sandbox.server import Certificate


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Certificate.WRONG_NAME, "mismatch"),
        (Certificate.EXPIRED, "expired"),
        (Certificate.FOREIGN, "issuer"),
    ],
)
def test_a_wrong_certificate_is_refused_for_what_is_wrong_with_it(
    kind: Certificate, reason: str
) -> None:
    with running_sandbox(certificate=kind) as sandbox:
        client = HttpsClient(trust([sandbox.ca_pem]), sandbox.connect)
        with pytest.raises(SourceTlsError, match=reason):
            client.exchange(Get(host="api.example.com"), limit_bytes=1000, timeout=5)
        assert sandbox.sandbox.requests.total() == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_good_certificate_is_taken(version: ssl.TLSVersion) -> None:
    with running_sandbox(maximum_tls=version) as sandbox:
        client = HttpsClient(trust([sandbox.ca_pem]), sandbox.connect)
        headers = (("Authorization", "Bearer sandbox-good"),)
        found = client.exchange(
            Get(host="api.example.com", headers=headers), limit_bytes=1000, timeout=5
        )
    assert found.status == 200
    assert found.protocol == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
