"""Fake attestation services: keys, key sets and chains of their own, and the tokens they sign.

Written without what it tests: the three parts of a token are put together here, and signed with the
library alone. ``FakeService`` mints what is right; one changed argument makes it wrong in that way.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from adyton.evidence.token.collateral import TokenCollateral
from adyton.evidence.token.services import Issuer, Service

NOW: Final = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
ISSUED: Final = int(NOW.timestamp()) - 60
EXPIRES: Final = ISSUED + 3600
NONCE: Final = hashlib.sha256(b"nonce").digest()
HELD: Final = b"a public key"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _p384() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


# Made once, for RSA keys cost more than all that is done with them.
RSA: Final = _rsa()
RSA_AUTHORITY: Final = _rsa()
RSA_ROOT: Final = _rsa()
P384: Final = _p384()
P384_ROOT: Final = _p384()
STRANGER: Final = _rsa()
STRANGER_P384: Final = _p384()

ALGORITHMS: Final[Mapping[Service, str]] = {
    Service.INTEL_TRUST_AUTHORITY: "PS384",
    Service.AZURE_ATTESTATION: "RS256",
    Service.GOOGLE_CONFIDENTIAL_SPACE: "RS256",
    Service.NVIDIA_NRAS: "ES384",
}


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def part(value: object) -> str:
    return text(value if isinstance(value, bytes) else json.dumps(value).encode())


def sign(algorithm: str, key: Any, message: bytes) -> bytes:
    """Return the signature of ``message`` as JWA has it, also those that nobody should take."""
    match algorithm:
        case "RS256":
            return bytes(key.sign(message, padding.PKCS1v15(), SHA256()))
        case "PS384":
            return bytes(key.sign(message, padding.PSS(padding.MGF1(SHA384()), 48), SHA384()))
        case "ES384":
            numbers = utils.decode_dss_signature(key.sign(message, ec.ECDSA(SHA384())))
            return b"".join(number.to_bytes(48, "big") for number in numbers)
        case "HS256":
            secret = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return hmac.new(secret, message, "sha256").digest()
        case _:
            return b""


def jwk(key: Key, **changes: Any) -> dict[str, Any]:
    """Return a public key as an issuer publishes it; a change to ``None`` leaves it out."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        parts = {"n": numbers.n, "e": numbers.e}
        found: dict[str, Any] = {
            "kty": "RSA",
            **{k: text(v.to_bytes((v.bit_length() + 7) // 8, "big")) for k, v in parts.items()},
        }
    else:
        point = key.public_key().public_numbers()
        found = {
            "kty": "EC",
            "crv": "P-384",
            **{k: text(v.to_bytes(48, "big")) for k, v in (("x", point.x), ("y", point.y))},
        }
    found |= {"kid": "fake", **changes}
    return {name: value for name, value in found.items() if value is not None}


def certificate(
    name: str,
    key: Key,
    issuer: str,
    signer: Key,
    *,
    is_authority: bool,
    has_usage: bool = True,
    last: datetime = NOW + timedelta(days=2),
) -> bytes:
    """Return a certificate in DER, as the services' authorities make them."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=2))
        .not_valid_after(last)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    )
    if has_usage:
        usage = [not is_authority, False, False, False, False, is_authority, False, False, False]
        builder = builder.add_extension(x509.KeyUsage(*usage), critical=True)
    algorithm = SHA256() if isinstance(signer, rsa.RSAPrivateKey) else SHA384()
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class FakeService:
    """A service with an issuer, a key and its set, and a chain where the real one has one."""

    def __init__(self, service: Service, *, leaf: Mapping[str, Any] | None = None) -> None:
        self.service = service
        self.issuer = Issuer(service=service, name=f"https://{service.value}.example")
        self.algorithm = ALGORITHMS[service]
        self.key: Key = RSA
        self.root = b""
        self.chain: tuple[bytes, ...] = ()
        made: dict[str, Any] = {"is_authority": False, **(leaf or {})}
        if service is Service.GOOGLE_CONFIDENTIAL_SPACE:
            made = {"has_usage": False, **made}
            self.root = certificate("root", RSA_ROOT, "root", RSA_ROOT, is_authority=True)
            middle = certificate("middle", RSA_AUTHORITY, "root", RSA_ROOT, is_authority=True)
            own = certificate("leaf", RSA, "middle", RSA_AUTHORITY, **made)
            self.chain = (own, middle, self.root)
        if service is Service.NVIDIA_NRAS:
            self.key = P384
            self.root = certificate("root", P384_ROOT, "root", P384_ROOT, is_authority=True)
            middle = certificate("middle", RSA_AUTHORITY, "root", P384_ROOT, is_authority=True)
            # As NVIDIA's: the root is left out.
            self.chain = (certificate("leaf", P384, "middle", RSA_AUTHORITY, **made), middle)

    @property
    def roots(self) -> dict[str, bytes]:
        """What a verifier that trusts this service's certificates is given."""
        return {"fake": hashlib.sha256(self.root).digest()}

    def jwks(self, *keys: dict[str, Any]) -> bytes:
        """Return the key set that the service publishes, or one with ``keys``."""
        chain = {"x5c": self.x5c()} if self.service is Service.NVIDIA_NRAS else {}
        return json.dumps({"keys": keys or [jwk(self.key, **chain)]}).encode()

    def x5c(self) -> list[str]:
        return [base64.b64encode(der).decode() for der in self.chain]

    def collateral(self, jwks: bytes | None = None) -> TokenCollateral:
        """Return what a token of this service is verified with."""
        root = self.root if self.service is Service.NVIDIA_NRAS else None
        return TokenCollateral(jwks=self.jwks() if jwks is None else jwks, root=root)

    def pinned(self, jwks: bytes | None = None) -> dict[str, bytes]:
        """Return the roots of a verifier that trusts a whole key set."""
        return {"pinned": hashlib.sha256(self.jwks() if jwks is None else jwks).digest()}

    def token(
        self,
        claims: Mapping[str, Any] | bytes,
        *,
        header: Mapping[str, Any] | bytes | None = None,
        algorithm: str | None = None,
        key: Any = None,
        signature: bytes | None = None,
    ) -> str:
        """Return a token with these claims; what is left out is right."""
        name = algorithm or self.algorithm
        full = header if isinstance(header, bytes) else self._header(name, header or {})
        body = claims if isinstance(claims, bytes) else without(claims)
        message = f"{part(full)}.{part(body)}"
        signed = sign(name, key or self.key, message.encode()) if signature is None else signature
        return f"{message}.{text(signed)}"

    def _header(self, algorithm: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        chain = {"x5c": self.x5c()} if self.service is Service.GOOGLE_CONFIDENTIAL_SPACE else {}
        jku = {} if chain or self.service is Service.NVIDIA_NRAS else {"jku": "https://fake/certs"}
        return without({"alg": algorithm, "kid": "fake", "typ": "JWT", **chain, **jku, **changes})

    def envelope(self) -> dict[str, Any]:
        """Return the claims that all tokens have."""
        return {"iss": self.issuer.name, "iat": ISSUED, "nbf": ISSUED, "exp": EXPIRES, "jti": "1"}

    def claims(self, kind: str = "", **changes: Any) -> dict[str, Any]:
        """Return the claims of a good token of this service."""
        return {**self.envelope(), **_CLAIMS[self.service](kind), **changes}

    def mint(self, kind: str = "", *, how: Mapping[str, Any] | None = None, **claims: Any) -> bytes:
        """Return what the service answers with, with ``how`` for ``token``."""
        if self.service is Service.NVIDIA_NRAS:
            return self.bundle(kind or "GPU", how=how, **claims)
        return self.token(self.claims(kind, **claims), **(how or {})).encode()

    def bundle(
        self,
        kind: str = "GPU",
        *,
        devices: Mapping[str, str] | None = None,
        shown: Mapping[str, str] | None = None,
        digests: Mapping[str, object] | None = None,
        how: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> bytes:
        """Return a bundle over ``devices``; ``shown`` are put beside it instead of them."""
        made = devices or {f"{kind}-{n}": self.device(f"{kind}-{n}") for n in range(2)}
        found = digests or {
            name: ["DIGEST", ["SHA-256", hashlib.sha256(token.encode()).hexdigest()]]
            for name, token in made.items()
        }
        overall = self.token(
            {
                **self.envelope(),
                "sub": "NVIDIA-PLATFORM-ATTESTATION",
                "x-nvidia-ver": "3.0",
                "x-nvidia-overall-att-result": True,
                "eat_nonce": NONCE.hex(),
                "submods": found,
                **claims,
            },
            **(how or {}),
        )
        return json.dumps(
            [["JWT", overall], dict(made if shown is None else shown)], separators=(",", ":")
        ).encode()

    def device(self, name: str, *, how: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """Return the token of one device."""
        prefix = f"x-nvidia-{name.partition('-')[0].lower()}-"
        checks = (
            "attestation-report-parsed",
            "attestation-report-signature-verified",
            "attestation-report-nonce-match",
            "attestation-report-cert-chain-fwid-match",
            "arch-check",
        )
        return self.token(
            {
                **self.envelope(),
                **{prefix + check: True for check in checks},
                prefix + "attestation-report-cert-chain": {
                    "x-nvidia-cert-status": "valid",
                    "x-nvidia-cert-ocsp-status": "good",
                    "x-nvidia-cert-revocation-reason": None,
                },
                "eat_nonce": NONCE.hex(),
                "ueid": hashlib.sha256(name.encode()).hexdigest(),
                "hwmodel": "FAKE",
                "dbgstat": "disabled",
                "secboot": True,
                "measres": "success",
                "x-nvidia-attestation-warning": None,
                prefix + "driver-version": "1.2.3",
                **{key.replace("kind_", prefix): value for key, value in claims.items()},
            },
            **(how or {}),
        )


def without(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` without those that were changed to the type ``None``."""
    return {name: value for name, value in values.items() if value is not type(None)}


ABSENT: Final = type(None)


def _digest(name: str, size: int) -> str:
    return hashlib.shake_256(name.encode()).hexdigest(size)


def _td() -> dict[str, Any]:
    return {
        "tdx_mrtd": _digest("mrtd", 48),
        **{f"tdx_rtmr{n}": _digest(f"rtmr{n}", 48) for n in range(4)},
        "tdx_mrseam": _digest("mrseam", 48),
        "tdx_seamsvn": 4,
    }


def _intel(kind: str) -> dict[str, Any]:
    tee = (kind or "TDX").lower()
    stamp = b"2026-11-20 11:59:00 +0000 UTC"
    digest = hashlib.sha256 if tee == "sgx" else hashlib.sha512
    report_data = digest(NONCE + stamp + HELD).digest().ljust(64, b"\0").hex()
    own = (
        {
            "sgx_mrenclave": _digest("mrenclave", 32),
            "sgx_mrsigner": _digest("mrsigner", 32),
            "sgx_isvprodid": 7,
            "sgx_isvsvn": 3,
        }
        if tee == "sgx"
        else _td()
    )
    return {
        **own,
        f"{tee}_report_data": report_data,
        f"{tee}_is_debuggable": False,
        "attester_type": tee.upper(),
        "attester_held_data": base64.b64encode(HELD).decode(),
        "verifier_nonce": {
            "val": base64.b64encode(NONCE).decode(),
            "iat": base64.b64encode(stamp).decode(),
            "signature": "AA==",
        },
        "attester_tcb_status": "OutOfDate",
        "attester_tcb_date": "2026-08-12T00:00:00Z",
        "attester_advisory_ids": ["INTEL-SA-00001", "INTEL-SA-00002"],
        "dbgstat": "disabled",
        "eat_profile": "https://fake/eat_profile.html",
        "intuse": "generic",
        "ver": "1.0.0",
    }


def snp() -> dict[str, Any]:
    """Return what Azure writes of an SEV-SNP machine."""
    return {
        "x-ms-attestation-type": "sevsnpvm",
        "x-ms-compliance-status": "azure-compliant-cvm",
        "x-ms-sevsnpvm-launchmeasurement": _digest("measurement", 48),
        "x-ms-sevsnpvm-hostdata": _digest("host data", 32),
        "x-ms-sevsnpvm-reportdata": _digest("report data", 64),
        "x-ms-sevsnpvm-reportid": _digest("report id", 32),
        "x-ms-sevsnpvm-is-debuggable": False,
        "x-ms-sevsnpvm-migration-allowed": False,
        "x-ms-sevsnpvm-guestsvn": 4,
        "x-ms-sevsnpvm-vmpl": 0,
    }


def td() -> dict[str, Any]:
    """Return what Azure writes of a TDX machine."""
    return {
        **_td(),
        "x-ms-attestation-type": "tdxvm",
        "x-ms-compliance-status": "azure-compliant-cvm",
        "attester_tcb_status": "UpToDate",
        "dbgstat": "disabled",
        "tdx_td_attributes_debug": False,
        "tdx_report_data": _digest("report data", 64),
    }


def _azure(kind: str) -> dict[str, Any]:
    match kind:
        case "sgx":
            return {
                "x-ms-attestation-type": "sgx",
                "x-ms-sgx-is-debuggable": False,
                "x-ms-sgx-mrenclave": _digest("mrenclave", 32),
                "x-ms-sgx-mrsigner": _digest("mrsigner", 32),
                "x-ms-sgx-product-id": 7,
                "x-ms-sgx-svn": 3,
            }
        case "snp":
            return snp()
        case "tdx":
            return td()
        case _:
            return {
                "x-ms-attestation-type": "azurevm",
                "x-ms-azurevm-vmid": "machine",
                "x-ms-azurevm-debuggersdisabled": True,
                "x-ms-azurevm-bootdebug-enabled": False,
                "x-ms-azurevm-hypervisordebug-enabled": False,
                "x-ms-azurevm-kerneldebug-enabled": False,
                "secureboot": True,
                "x-ms-isolation-tee": snp(),
                "x-ms-runtime": {
                    "client-payload": {"nonce": base64.b64encode(NONCE).decode()},
                },
            }


def _google(_: str) -> dict[str, Any]:
    return {
        "aud": "https://relying.example",
        "sub": "https://compute.example/instances/one",
        "eat_nonce": [NONCE.hex(), "another nonce"],
        "secboot": True,
        "hwmodel": "GCP_INTEL_TDX",
        "swname": "CONFIDENTIAL_SPACE",
        "swversion": ["251000"],
        "dbgstat": "disabled-since-boot",
        "submods": {
            "confidential_space": {"support_attributes": ["LATEST", "STABLE", "USABLE"]},
            "container": {
                "image_reference": "registry.example/image:v1",
                "image_digest": "sha256:" + _digest("image", 32),
            },
            "gce": {"project_id": "project", "zone": "zone"},
        },
    }


_CLAIMS: Final = {
    Service.INTEL_TRUST_AUTHORITY: _intel,
    Service.AZURE_ATTESTATION: _azure,
    Service.GOOGLE_CONFIDENTIAL_SPACE: _google,
}
SERVICES: Final[Mapping[Service, FakeService]] = {
    service: FakeService(service) for service in Service
}
KINDS: Final[Sequence[tuple[Service, str]]] = (
    (Service.INTEL_TRUST_AUTHORITY, "TDX"),
    (Service.INTEL_TRUST_AUTHORITY, "SGX"),
    (Service.AZURE_ATTESTATION, "vm"),
    (Service.AZURE_ATTESTATION, "sgx"),
    (Service.AZURE_ATTESTATION, "snp"),
    (Service.AZURE_ATTESTATION, "tdx"),
    (Service.GOOGLE_CONFIDENTIAL_SPACE, ""),
    (Service.NVIDIA_NRAS, "GPU"),
    (Service.NVIDIA_NRAS, "SWITCH"),
)
