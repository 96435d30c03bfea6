"""Which key signed a token, and under which root: never the one that the token itself offers.

A token may bring certificates; they lead to a root or count for nothing. Else the key is found by
its name in the set of its issuer, which is a root as a whole, or has a chain to one for each key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from adyton.codec.jose import Jws
from adyton.codec.json import as_string
from adyton.crypto.hashing import sha256
from adyton.crypto.jwk import Algorithm, JwkSet, read_x5c
from adyton.crypto.path import Path, PathCache, verify_path
from adyton.crypto.suites import PublicKey, Suite
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.token.collateral import TokenCollateral
from adyton.evidence.token.roots import TOKEN_ROOTS
from adyton.evidence.token.services import ALGORITHMS, SUITES, Service
from adyton.model.window import Window

__all__ = ["Signer", "TokenAlgorithmRejectedError", "TokenKeyRejectedError", "Trust", "find_signer"]

# RFC 7515, sections 4.1.3 and 4.1.5: keys of the sender's choice. ``jku`` (4.1.2) is passed over:
# Azure writes one into every token, and nothing here fetches anything.
_OFFERED = ("jwk", "x5u")


class TokenAlgorithmRejectedError(RejectedError):
    """A token is signed in another way than its service signs, or not at all."""

    code = "token-algorithm-rejected"

    def __init__(self, *, found: str, wanted: tuple[str, ...]) -> None:
        super().__init__(f"the token's algorithm is {found!r}, not {' or '.join(wanted)}")
        self.found, self.wanted = found, wanted


class TokenKeyRejectedError(RejectedError):
    """The key that signed a token is unknown, or nobody vouches for it."""

    code = "token-key-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the token's key {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What keys are looked up in, and what makes them trusted, at the instant ``at``."""

    collateral: TokenCollateral
    roots: Mapping[str, bytes]
    at: datetime
    cache: PathCache | None

    def path(self, chain: tuple[bytes, ...], suite: Suite) -> Path:
        """Return the path in ``chain``, the signer's own first (RFC 7515, section 4.1.6)."""
        certificates, root = [*reversed(chain)], self.collateral.root
        if root is not None and certificates[0] != root:
            certificates.insert(0, root)
        path = verify_path(certificates, roots=self.roots, suite=suite, cache=self.cache)
        path.check_valid(self.at)
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The key that has to have signed. ``windows`` are of its certificates, if it has any.

    ``is_genuine`` says whether the root is the one that the service publishes, or the key set that
    the verifier named for it: naming an issuer and a set is all that there is to say whose it is. A
    certificate of somebody's is not, nor is another service's.
    """

    key: PublicKey
    key_id: str
    root: str
    root_sha256: bytes
    is_genuine: bool
    windows: tuple[Window, ...]


def find_signer(token: Jws, *, service: Service, trust: Trust) -> Signer:
    """Return the key that has to have signed ``token``, or raise.

    1. The algorithm is one of the service's: before anything else, for it is the sender's choice.
    2. The header offers no key of its own, and says that it is a JWT, if it says what it is.
    3. With certificates in the token, of a service that has them: they lead from one of the roots,
       and are valid at the instant.
    4. Without: the set has a key of the token's name. The set is one of the roots, or the key's
       certificates lead from one and are valid at the instant.
    """
    # Step 1
    algorithm = _algorithm(token, service)
    # Step 2
    header = token.untrusted_header
    for name in _OFFERED:
        if name in header:
            raise TokenKeyRejectedError(reason=f"is offered by the token itself ({name})")
    if as_string(header.get("typ", "JWT"), "the token's type", limit=32).upper() != "JWT":
        raise MalformedError("the token is of another type than JWT")
    key_id = as_string(header.get("kid"), "the key's name", limit=512)
    # Step 3
    suite = SUITES.get(service)
    if suite is not None and "x5c" in header:
        return _certified(key_id, trust.path(read_x5c(header["x5c"]), suite), service)
    # Step 4
    if trust.collateral.jwks is None:
        raise TokenKeyRejectedError(reason="cannot be looked up: no key set came with it")
    key = _key_set(trust.collateral.jwks).keys.get(key_id)
    if key is None:
        raise TokenKeyRejectedError(reason="is not in the set that came with it")
    # The key has to be its certificate's, also where that leads to a root.
    public_key = key.public_key(algorithm)
    digest = sha256(trust.collateral.jwks)
    root = next((name for name, trusted in trust.roots.items() if trusted == digest), None)
    if root is not None:
        return Signer(
            key=public_key,
            key_id=key_id,
            root=root,
            root_sha256=digest,
            is_genuine=True,
            windows=(),
        )
    if suite is None or not key.chain:
        raise TokenKeyRejectedError(
            reason=f"is of the key set {digest.hex()}, which is not one that is trusted here"
        )
    return _certified(key_id, trust.path(key.chain, suite), service)


@lru_cache(maxsize=4)
def _key_set(jwks: bytes) -> JwkSet:
    # A bundle has a token for each device, and NVIDIA's set is as long as twenty of them.
    return JwkSet.from_bytes(jwks)


def _algorithm(token: Jws, service: Service) -> Algorithm:
    pinned = ALGORITHMS[service]
    for algorithm in pinned:
        if token.algorithm == algorithm.value:
            return algorithm
    raise TokenAlgorithmRejectedError(found=token.algorithm, wanted=tuple(sorted(pinned)))


def _certified(key_id: str, path: Path, service: Service) -> Signer:
    return Signer(
        key=path.leaf.key,
        key_id=key_id,
        root=path.root,
        root_sha256=path.root_sha256,
        # By digest: a policy may call its own root whatever it likes.
        is_genuine=path.root_sha256 == TOKEN_ROOTS.get(service.value),
        windows=path.windows,
    )
