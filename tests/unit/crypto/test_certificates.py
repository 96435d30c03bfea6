from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import DNSName
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from adyton.crypto.certificates import KeyType, ServerCertificate, TlsAuthority, issue_tls_root
from adyton.crypto.issuing import Validity

NOW = datetime(2026, 3, 1, tzinfo=UTC)
VALIDITY = Validity(first=NOW - timedelta(days=1), last=NOW + timedelta(days=30))


@pytest.fixture
def root() -> TlsAuthority:
    return issue_tls_root("A root", validity=VALIDITY)


def verified(
    root: TlsAuthority, server: ServerCertificate, *, name: str, time: datetime = NOW
) -> list[x509.Certificate]:
    leaf, *between = x509.load_pem_x509_certificates(server.chain_pem.encode())
    store = Store([x509.load_pem_x509_certificate(root.pem.encode())])
    verifier = PolicyBuilder().store(store).time(time).build_server_verifier(DNSName(name))
    return verifier.verify(leaf, between)


@pytest.mark.parametrize("key_type", KeyType)
def test_a_server_is_verified_under_its_root(root: TlsAuthority, key_type: KeyType) -> None:
    names = ("api.example.com", "other.example.com")
    server = root.issue_server(names, validity=VALIDITY, key_type=key_type)
    for name in names:
        assert len(verified(root, server, name=name)) == 2


@pytest.mark.parametrize("key_type", KeyType)
def test_a_server_is_verified_under_an_intermediate(root: TlsAuthority, key_type: KeyType) -> None:
    between = root.issue_authority("Between", validity=VALIDITY, key_type=key_type)
    server = between.issue_server(("api.example.com",), validity=VALIDITY)
    assert len(verified(root, server, name="api.example.com")) == 3
    assert root.pem not in server.chain_pem


def test_the_key_is_the_certificate_s(root: TlsAuthority) -> None:
    server = root.issue_server(("api.example.com",), validity=VALIDITY)
    certificate = x509.load_pem_x509_certificate(server.chain_pem.encode())
    key = load_pem_private_key(server.key_pem, password=None)
    assert key.public_key() == certificate.public_key()


def test_another_name_is_refused(root: TlsAuthority) -> None:
    server = root.issue_server(("api.example.com",), validity=VALIDITY)
    with pytest.raises(VerificationError):
        verified(root, server, name="www.example.com")


@pytest.mark.parametrize("time", [NOW - timedelta(days=2), NOW + timedelta(days=31)])
def test_another_time_is_refused(root: TlsAuthority, time: datetime) -> None:
    server = root.issue_server(("api.example.com",), validity=VALIDITY)
    with pytest.raises(VerificationError):
        verified(root, server, name="api.example.com", time=time)


def test_another_root_of_the_same_name_is_refused(root: TlsAuthority) -> None:
    other = issue_tls_root("A root", validity=VALIDITY)
    server = other.issue_server(("api.example.com",), validity=VALIDITY)
    with pytest.raises(VerificationError):
        verified(root, server, name="api.example.com")


def test_an_intermediate_issues_no_further_authority(root: TlsAuthority) -> None:
    between = root.issue_authority("Between", validity=VALIDITY)
    below = between.issue_authority("Below", validity=VALIDITY)
    server = below.issue_server(("api.example.com",), validity=VALIDITY)
    with pytest.raises(VerificationError):
        verified(root, server, name="api.example.com")


def test_private_keys_are_not_shown(root: TlsAuthority) -> None:
    server = root.issue_server(("api.example.com",), validity=VALIDITY)
    assert "PRIVATE KEY" not in repr(root)
    assert "PRIVATE KEY" not in repr(server)


def test_a_long_name_is_cut_to_what_a_subject_holds() -> None:
    root = issue_tls_root("A" * 100, validity=VALIDITY)
    name = ".".join(["a" * 30] * 4)
    server = root.issue_server((name,), validity=VALIDITY)
    assert verified(root, server, name=name)
