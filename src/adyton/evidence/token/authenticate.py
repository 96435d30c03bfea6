"""Tokens of attestation services to claims: proves whose word it is, and nothing about the word.

Follows RFC 7515 and 7519 (JWS and JWT), RFC 8725 (their best current practices) and RFC 9711 (EAT).
A pure function of the token, the collateral, the trusted roots and the instant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from adyton.codec.jose import MAX_TOKEN_BYTES, Jws
from adyton.codec.json import as_object, loads
from adyton.crypto.hashing import sha256
from adyton.crypto.path import PathCache
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.token import azure, google, intel, nvidia
from adyton.evidence.token.bundle import DetachedBundle, SubmoduleRejectedError
from adyton.evidence.token.collateral import TokenCollateral
from adyton.evidence.token.keys import Signer, Trust, find_signer
from adyton.evidence.token.members import Members
from adyton.evidence.token.reported import Reported
from adyton.evidence.token.services import Issuer, Service
from adyton.model.window import CLOCK_TOLERANCE, Window

__all__ = [
    "TokenClaims",
    "TokenIssuerRejectedError",
    "TokenTimeRejectedError",
    "authenticate",
    "unverified_report",
]

_READERS: Final = MappingProxyType(
    {
        Service.INTEL_TRUST_AUTHORITY: intel.read,
        Service.AZURE_ATTESTATION: azure.read,
        Service.GOOGLE_CONFIDENTIAL_SPACE: google.read,
    }
)


class TokenIssuerRejectedError(RejectedError):
    """A token is by another issuer than the one whose word is asked for."""

    code = "token-issuer-rejected"

    def __init__(self, *, found: str, wanted: str) -> None:
        super().__init__(f"the token's issuer is {found!r}, not {wanted!r}")
        self.found, self.wanted = found, wanted


class TokenTimeRejectedError(RejectedError):
    """A token speaks for another time than the one in question."""

    code = "token-not-valid-at-this-time"

    def __init__(self, *, at: datetime, first: datetime, last: datetime) -> None:
        super().__init__(
            f"the token is valid from {first:%Y-%m-%dT%H:%M:%SZ} and before"
            f" {last:%Y-%m-%dT%H:%M:%SZ}, not at {at:%Y-%m-%dT%H:%M:%SZ}"
        )
        self.at, self.first, self.last = at, first, last


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """What an authentic token says: that ``issuer`` reports ``reported``.

    It is the service's word, and not the hardware's: whoever believes it trusts the service, its
    policy and its collateral, of which nothing is in here. ``root`` is the name of the anchor, a
    root certificate or a key set; ``is_genuine`` says whether it is the service's, as far as the
    verifier knows. ``audience`` is whom the token is for, as far as it says; others may show it.

    ``issued`` is the service's time. ``first`` and ``last`` bound the time in which the token is
    valid and its key's certificates are, where there are any; ``windows`` has each one's.
    ``devices`` are what is reported of each, in a token over several. ``signed_sha256`` is over the
    part that is signed: two tokens are the same where this is.
    """

    service: Service
    issuer: str
    key_id: str
    root: str
    root_sha256: bytes
    is_genuine: bool
    audience: tuple[str, ...]
    reported: Reported
    devices: Mapping[str, Reported]
    issued: datetime
    first: datetime
    last: datetime
    windows: tuple[Window, ...]
    signed_sha256: bytes

    @property
    def is_key_set(self) -> bool:
        """Whether the root is a whole key set, rather than the end of a chain of certificates."""
        return len(self.windows) == 1


def authenticate(
    token: bytes,
    *,
    issuer: Issuer,
    collateral: TokenCollateral,
    roots: Mapping[str, bytes],
    at: datetime,
    cache: PathCache | None = None,
) -> TokenClaims:
    """Return what ``token`` says, once it is shown to be by ``issuer``, under one of ``roots``.

    1. It is a signed token, as ``Jws.from_text`` has it; NVIDIA's is a bundle of them.
    2. Its algorithm and its key are the service's: the steps of ``find_signer``.
    3. The signature is by that key.
    4. The claims are an object without duplicate members, within limits.
    5. Their issuer is ``issuer``, letter by letter.
    6. They are valid at ``at``: before ``exp``, and not before ``nbf`` and ``iat``, but for a
       minute by which clocks may differ.
    7. Each device's token is the one whose digest the token over all has, and went through these
       steps as well.
    8. The claims have what the service writes of this kind of environment, and those of devices are
       over the same nonce.

    Not established: that the service looked at all, or that its answer is right. What the service
    has against an environment is among the findings of ``reported``. Raises ``MalformedError`` or a
    ``RejectedError``.
    """
    trust = Trust(collateral=collateral, roots=roots, at=at, cache=cache)
    if issuer.service is not Service.NVIDIA_NRAS:
        verified = _verified(_text(token), issuer, trust)
        return _claims(_READERS[issuer.service](verified.claims), {}, verified, issuer)
    bundle = DetachedBundle.from_bytes(token)
    verified = _verified(bundle.overall, issuer, trust)
    # Step 7
    bundle.check_digests(verified.claims)
    devices = {
        name: nvidia.read_device(name, _verified(text, issuer, trust).claims)
        for name, text in bundle.devices.items()
    }
    return _claims(_overall(verified.claims, devices), devices, verified, issuer)


def unverified_report(token: bytes, *, service: Service) -> tuple[Reported, Mapping[str, Reported]]:
    """Return what a token would say, over all and of each device, whoever wrote it.

    For showing what a file has in it, and for nothing else: nothing of it was verified.
    """
    if service is not Service.NVIDIA_NRAS:
        return _READERS[service](_read(Jws.from_text(_text(token)))), MappingProxyType({})
    bundle = DetachedBundle.from_bytes(token)
    overall = _read(Jws.from_text(bundle.overall))
    bundle.check_digests(overall)
    devices = {
        name: nvidia.read_device(name, _read(Jws.from_text(text)))
        for name, text in bundle.devices.items()
    }
    return _overall(overall, devices), MappingProxyType(devices)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """The claims of a token that steps 1 to 6 were made for, who signed it, and what."""

    claims: Members
    signer: Signer
    signed_sha256: bytes


def _text(data: bytes) -> str:
    if not data.isascii():
        raise MalformedError("a token has characters that are not ascii")
    return data.decode("ascii")


def _verified(text: str, issuer: Issuer, trust: Trust) -> _Verified:
    # Step 1
    token = Jws.from_text(text)
    # Step 2
    signer = find_signer(token, service=issuer.service, trust=trust)
    # Step 3
    signer.key.check(token.signing_input, token.signature, domain="the token")
    # Step 4
    claims = _read(token)
    # Step 5
    if (found := claims.text("iss")) != issuer.name:
        raise TokenIssuerRejectedError(found=found[:128], wanted=issuer.name)
    # Step 6
    first, last = _window(claims)
    if not first - CLOCK_TOLERANCE <= trust.at < last:
        raise TokenTimeRejectedError(at=trust.at, first=first, last=last)
    return _Verified(claims=claims, signer=signer, signed_sha256=sha256(token.signing_input))


def _read(token: Jws) -> Members:
    record = as_object(loads(token.payload, limit_bytes=MAX_TOKEN_BYTES), "claims")
    return Members(record, "claims")


def _overall(claims: Members, devices: dict[str, Reported]) -> Reported:
    reported = nvidia.read_overall(claims, devices)
    # Else a device's token might be of another day, from before it was taken over.
    for name, device in devices.items():
        if device.nonces != reported.nonces:
            raise SubmoduleRejectedError(name=name, reason="is over another nonce")
    return reported


def _window(claims: Members) -> tuple[datetime, datetime]:
    issued = claims.numeric_date("iat")
    first = claims.numeric_date("nbf") if claims.has("nbf") else issued
    return max(first, issued), claims.numeric_date("exp")


def _claims(
    reported: Reported, devices: Mapping[str, Reported], verified: _Verified, issuer: Issuer
) -> TokenClaims:
    claims, signer = verified.claims, verified.signer
    first, end = _window(claims)
    # A window has both its ends, a token ends before ``exp``.
    own = Window(name="the token", first=first, last=end - timedelta(microseconds=1))
    windows = (*signer.windows, own)
    return TokenClaims(
        service=issuer.service,
        issuer=issuer.name,
        key_id=signer.key_id,
        root=signer.root,
        root_sha256=signer.root_sha256,
        is_genuine=signer.is_genuine,
        audience=claims.texts("aud"),
        reported=reported,
        devices=MappingProxyType(dict(devices)),
        issued=claims.numeric_date("iat"),
        first=max(window.first for window in windows),
        last=min(window.last for window in windows),
        windows=windows,
        signed_sha256=verified.signed_sha256,
    )
