"""Whose token it claims to be: what decides how it is read, and with which keys it is verified."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adyton.codec.jose import MAX_TOKEN_BYTES, Jws
from adyton.codec.json import as_object, as_string, loads
from adyton.errors import MalformedError
from adyton.evidence.token.bundle import DetachedBundle
from adyton.evidence.token.services import Issuer, Service

__all__ = ["unverified_issuer"]

# The addresses under which a service has its instances: regions, customers, trials.
_NAMES: Final[Mapping[Service, re.Pattern[str]]] = MappingProxyType(
    {
        Service.INTEL_TRUST_AUTHORITY: re.compile(
            # The first year's tokens have a name for an address.
            r"Intel Trust Authority|https://portal\.([a-z0-9-]+\.)?trustauthority\.intel\.com"
        ),
        Service.AZURE_ATTESTATION: re.compile(
            r"https://[a-z0-9-]+\.[a-z0-9]+\.attest\.azure\.(net|us|cn)"
        ),
        Service.GOOGLE_CONFIDENTIAL_SPACE: re.compile(
            r"https://confidentialcomputing\.googleapis\.com"
        ),
        Service.NVIDIA_NRAS: re.compile(r"https://nras\.attestation(-[a-z]+)?\.nvidia\.com"),
    }
)
_ARRAY: Final = b"["


def unverified_issuer(token: bytes) -> Issuer:
    """Return who a token says has issued it, or raise ``MalformedError`` for nobody that is known.

    Whoever wrote the token chose it: it is true once the signature by that issuer's key is checked.
    """
    text = (
        DetachedBundle.from_bytes(token).overall
        if token.lstrip().startswith(_ARRAY)
        else _text(token)
    )
    claims = as_object(loads(Jws.from_text(text).payload, limit_bytes=MAX_TOKEN_BYTES), "claims")
    name = as_string(claims.get("iss"), "the token's issuer", limit=256)
    for service, pattern in _NAMES.items():
        if pattern.fullmatch(name):
            return Issuer(service=service, name=name)
    raise MalformedError(f"the token's issuer {name[:128]!r} is no service that is known here")


def _text(token: bytes) -> str:
    try:
        return token.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedError("a token has characters that are not ascii") from error
