"""A verdict as an EAT Attestation Result, for verifiers and relying parties of other makes.

Follows "EAT Attestation Results" (draft-ietf-rats-ear-04), section 3, in JSON, and "Attestation
Results for Secure Interactions" (AR4SI, draft-ietf-rats-ar4si-09), section 2.3, for the values of
the trustworthiness vector. An EAR says what a verifier thinks of evidence: whoever believes it
trusts the verifier and its policy.

The five parts of the evidence's layer become these claims; what is left out is "no claim":

* ``hardware``: authenticity and tcb. 2 where both passed; 32 (a warning) where the policy accepts
  what the vendor knows against the firmware; -2 (affirming, in no standard's words) where it does
  not ask how old the firmware is; -33 (a warning) under a development root;
  none for a service's token, behind which is no hardware that was looked at here.
* ``configuration``: 2 where it passed, 32 (a warning) where the policy accepts something against
  it, 96 where it failed; with debug mode, ``runtime-opaque`` is 96 as well.
* ``executables``: identity. 3 (approved at boot) where it passed, 96 where it failed.
* freshness has no claim of its own. Where it failed, the status is contraindicated all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adyton.codec.jose import MAX_TOKEN_BYTES, Jws
from adyton.codec.json import JsonObject, as_integer, as_list, as_object, as_string, loads
from adyton.codec.text import from_base64, to_base64
from adyton.crypto.jwk import Algorithm, JwkSet
from adyton.crypto.jws import TokenSigner
from adyton.crypto.suites import PublicKey
from adyton.errors import MalformedError, RejectedError
from adyton.model.claims import DEBUG_MODE
from adyton.model.verdict import LayerName, Part, Status, Verdict
from adyton.model.window import CLOCK_TOLERANCE, LAST_SECOND

__all__ = ["PROFILE", "Ear", "EarRejectedError", "Tier", "VerifierId", "issue_ear", "verify_ear"]

PROFILE: Final = "tag:ietf.org,2026:rats/ear#04"
_TYPE: Final = "eat+jwt"
_TYPES: Final = frozenset({_TYPE, "jwt"})
_ALGORITHMS: Final = frozenset({Algorithm.ES256, Algorithm.EDDSA})
# A processor, and as many devices as its machine may have.
_MAX_SUBMODULES: Final = 65
# The draft's bounds for a nonce, in bytes.
_NONCE_SIZES: Final = range(8, 65)

# Values of AR4SI, section 2.3.4, and two of our own from the ranges for them.
_GENUINE: Final = 2
_GENUINE_OF_ANY_AGE: Final = -2
_VOUCHED_FOR_BY_NOBODY: Final = -33
_HARDWARE_WEAK: Final = 32
_HARDWARE_CONTRAINDICATED: Final = 96
_HARDWARE_UNKNOWN: Final = 97
_NOT_AUTHENTIC: Final = 99
_APPROVED: Final = 2
_UNSAFE: Final = 32
_UNSUPPORTABLE: Final = 96
_APPROVED_AT_BOOT: Final = 3
_EXECUTABLES_CONTRAINDICATED: Final = 96
_VISIBLE: Final = 96


class EarRejectedError(RejectedError):
    """An attestation result is not one that its relying party may believe."""

    code = "ear-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the attestation result {reason}")
        self.reason = reason


class Tier(StrEnum):
    """How far a verifier trusts what it appraised (AR4SI, section 3.2)."""

    NONE = "none"
    AFFIRMING = "affirming"
    WARNING = "warning"
    CONTRAINDICATED = "contraindicated"

    @classmethod
    def of(cls, value: int) -> "Tier":
        """Return the tier that a claim's value lies in (section 2.3.2)."""
        if value in {-1, 0, 1}:
            return cls.NONE
        size = value if value > 0 else -value - 1
        if size < 32:  # noqa: PLR2004  # the table's bounds, with those below zero one further
            return cls.AFFIRMING
        return cls.WARNING if size < 96 else cls.CONTRAINDICATED  # noqa: PLR2004

    @property
    def badness(self) -> int:
        """Where the tier stands: of several, the one that stands last counts."""
        return _ORDER.index(self)


# "None" is before "affirming" for a claim that is left out, and after it for a status.
_ORDER: Final = (Tier.AFFIRMING, Tier.NONE, Tier.WARNING, Tier.CONTRAINDICATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierId:
    """Who appraised: the developer of the verifier, and its build."""

    developer: str
    build: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """An attestation result: of each submodule its status and its vector, by their names."""

    verifier: VerifierId
    statuses: Mapping[str, Tier]
    vectors: Mapping[str, Mapping[str, int]]
    policies: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    nonce: bytes | None = None
    issued: datetime
    expires: datetime | None = None

    @property
    def status(self) -> Tier:
        """The worst of all submodules' statuses."""
        return max(self.statuses.values(), key=lambda tier: tier.badness)

    def to_json(self) -> JsonObject:
        """Return the claims, as section 3 has them."""
        claims: JsonObject = {
            "eat_profile": PROFILE,
            "iat": int(self.issued.timestamp()),
            "ear_status": self.status.value,
            "ear_verifier_id": {
                "developer": self.verifier.developer,
                "build": self.verifier.build,
            },
            "submods": {name: self._submodule(name) for name in self.statuses},
        }
        if self.expires is not None:
            claims["exp"] = int(self.expires.timestamp())
        if self.nonce is not None:
            claims["eat_nonce"] = to_base64(self.nonce)
        return claims

    def _submodule(self, name: str) -> JsonObject:
        record: JsonObject = {
            "ear_status": self.statuses[name].value,
            "ear_trustworthiness_vector": {**self.vectors[name]},
        }
        if policies := self.policies.get(name):
            record["ear_appraisal_policy_ids"] = [*policies]
        return record

    @classmethod
    def from_verdict(
        cls,
        verdict: Verdict,
        *,
        name: str,
        verifier: VerifierId,
        policy: str | None = None,
        nonce: bytes | None = None,
        expires: datetime | None = None,
    ) -> "Ear":
        """Return the result for the evidence that ``verdict`` is about, called ``name``.

        ``policy`` names the policy, ``nonce`` is the asker's. Whatever else the verdict is about (a
        receipt, a proof) has no claim; where it speaks against acceptance, the result affirms
        nothing. Raises ``ValueError`` for a nonce of another size than the draft has.
        """
        if nonce is not None and len(nonce) not in _NONCE_SIZES:
            raise ValueError("a nonce has 8 to 64 bytes")
        parts = {part.name: part for part in verdict.layer(LayerName.EVIDENCE).parts}
        vector = _vector(parts)
        return cls(
            verifier=verifier,
            statuses=MappingProxyType({name: _status(verdict, vector)}),
            vectors=MappingProxyType({name: MappingProxyType(vector)}),
            policies=MappingProxyType({name: () if policy is None else (policy,)}),
            nonce=nonce,
            issued=verdict.at,
            expires=expires,
        )


def issue_ear(ear: Ear, *, signer: TokenSigner) -> str:
    """Return ``ear`` as a signed token."""
    return signer.sign(ear.to_json(), kind=_TYPE)


def verify_ear(token: str, *, keys: JwkSet, at: datetime, nonce: bytes | None = None) -> Ear:
    """Return the attestation result in ``token``, or raise.

    1. It is a signed token, with ES256 or EdDSA, and one of ``keys`` by its name.
    2. The signature is by that key.
    3. Its profile is the draft's, and its claims are well formed.
    4. It is not of the future, but for a minute, and ``at`` is before its end, if it has one.
    5. No status is better than the worst value of its vector, and the one over all none better than
       any submodule's.
    6. With ``nonce``, it is over this one.

    Not established: that the verifier is right. Raises ``MalformedError`` or ``EarRejectedError``,
    or ``SignatureRejectedError``.
    """
    # Step 1
    found = Jws.from_text(token)
    key = _key(found, keys)
    # Step 2
    key.check(found.signing_input, found.signature, domain="an attestation result")
    # Step 3
    claims = as_object(loads(found.payload, limit_bytes=MAX_TOKEN_BYTES), "the result")
    ear = _read(claims)
    # Step 4
    if ear.issued > at + CLOCK_TOLERANCE:
        raise EarRejectedError(reason="is of the future")
    if ear.expires is not None and at >= ear.expires:
        raise EarRejectedError(reason="has expired")
    # Step 5
    _check_consistent(ear, claims)
    # Step 6
    if nonce is not None and ear.nonce != nonce:
        raise EarRejectedError(reason="is over another nonce, or over none")
    return ear


def _vector(parts: Mapping[str, Part]) -> dict[str, int]:
    authenticity, tcb = parts["authenticity"], parts["tcb"]
    configuration, identity = parts["configuration"], parts["identity"]
    vector = {}
    hardware = _hardware(authenticity, tcb)
    if hardware is not None:
        vector["hardware"] = hardware
    match configuration.status:
        case Status.PASSED:
            vector["configuration"] = _UNSAFE if configuration.findings else _APPROVED
        case Status.FAILED:
            vector["configuration"] = _UNSUPPORTABLE
            if DEBUG_MODE in _codes(configuration):
                vector["runtime-opaque"] = _VISIBLE
        case Status.NOT_REQUIRED | Status.NOT_EVALUATED:
            pass
    match identity.status:
        case Status.PASSED:
            vector["executables"] = _APPROVED_AT_BOOT
        case Status.FAILED:
            vector["executables"] = _EXECUTABLES_CONTRAINDICATED
        case Status.NOT_REQUIRED | Status.NOT_EVALUATED:
            pass
    return vector


def _hardware(authenticity: Part, tcb: Part) -> int | None:
    if authenticity.status is Status.FAILED:
        is_unknown = "root-rejected" in _codes(authenticity)
        return _HARDWARE_UNKNOWN if is_unknown else _NOT_AUTHENTIC
    if tcb.status is Status.FAILED:
        return _HARDWARE_CONTRAINDICATED
    is_known = authenticity.status is Status.PASSED and tcb.status is not Status.NOT_EVALUATED
    if not is_known or "service-vouches" in _codes(authenticity):
        return None
    if "insecure-platform" in _codes(authenticity):
        return _VOUCHED_FOR_BY_NOBODY
    if "tcb-status-weak" in _codes(tcb):
        return _HARDWARE_WEAK
    return _GENUINE if tcb.status is Status.PASSED else _GENUINE_OF_ANY_AGE


def _codes(part: Part) -> set[str]:
    return {finding.code for finding in part.findings}


def _status(verdict: Verdict, vector: Mapping[str, int]) -> Tier:
    tiers = [Tier.of(value) for value in vector.values()]
    found = {part.status for layer in verdict.layers for part in layer.parts}
    if Status.FAILED in found:
        tiers.append(Tier.CONTRAINDICATED)
    # No answer is never a yes; and nothing said at all is none either.
    if not verdict.accepted or not tiers:
        tiers.append(Tier.NONE)
    return max(tiers, key=lambda tier: tier.badness)


def _key(token: Jws, keys: JwkSet) -> PublicKey:
    algorithm = next((item for item in _ALGORITHMS if item.value == token.algorithm), None)
    if algorithm is None:
        raise EarRejectedError(reason=f"is signed with {token.algorithm!r}, not ES256 or EdDSA")
    header = token.untrusted_header
    kind = as_string(header.get("typ", _TYPE), "the result's type", limit=32)
    if kind.lower() not in _TYPES:
        raise MalformedError("the result is a token of another type")
    key_id = as_string(header.get("kid"), "the key's name", limit=512)
    if key_id not in keys.keys:
        raise EarRejectedError(reason="is signed with a key that is not known here")
    return keys.keys[key_id].public_key(algorithm)


def _read(claims: JsonObject) -> Ear:
    if claims.get("eat_profile") != PROFILE:
        raise MalformedError(f"the result's profile is not {PROFILE}")
    submodules = as_object(claims.get("submods"), "submods")
    if not 1 <= len(submodules) <= _MAX_SUBMODULES:
        raise MalformedError(f"submods has {len(submodules)} entries, not 1 to {_MAX_SUBMODULES}")
    records = {name: as_object(item, "a submodule") for name, item in submodules.items()}
    verifier = as_object(claims.get("ear_verifier_id"), "ear_verifier_id")
    nonce = claims.get("eat_nonce")
    return Ear(
        verifier=VerifierId(
            developer=as_string(verifier.get("developer"), "ear_verifier_id.developer"),
            build=as_string(verifier.get("build"), "ear_verifier_id.build"),
        ),
        statuses=MappingProxyType({name: _tier(item) for name, item in records.items()}),
        vectors=MappingProxyType({name: _values(item) for name, item in records.items()}),
        policies=MappingProxyType({name: _policies(item) for name, item in records.items()}),
        nonce=None
        if nonce is None
        else from_base64(as_string(nonce, "eat_nonce"), "eat_nonce", limit_bytes=64),
        issued=_instant(claims, "iat"),
        expires=_instant(claims, "exp") if "exp" in claims else None,
    )


def _instant(claims: JsonObject, name: str) -> datetime:
    return datetime.fromtimestamp(as_integer(claims.get(name), name, high=LAST_SECOND), tz=UTC)


def _tier(record: JsonObject) -> Tier:
    text = as_string(record.get("ear_status"), "ear_status", limit=32)
    if text not in set(Tier):
        raise MalformedError(f"ear_status is {text!r}, which is no tier")
    return Tier(text)


def _values(record: JsonObject) -> Mapping[str, int]:
    vector = as_object(record.get("ear_trustworthiness_vector", {}), "the vector")
    return MappingProxyType(
        {
            name: as_integer(value, "a claim of the vector", low=-128, high=127)
            for name, value in vector.items()
        }
    )


def _policies(record: JsonObject) -> tuple[str, ...]:
    found = as_list(record.get("ear_appraisal_policy_ids", []), "policies", limit=_MAX_SUBMODULES)
    return tuple(as_string(item, "a policy") for item in found)


def _check_consistent(ear: Ear, claims: JsonObject) -> None:
    for name, vector in ear.vectors.items():
        for value in vector.values():
            # A claim that says nothing is no reason: what says nothing at all is for the status.
            if (tier := Tier.of(value)) is not Tier.NONE and (
                tier.badness > ear.statuses[name].badness
            ):
                raise EarRejectedError(reason=f"is better than the worst of its claims ({name!r})")
    if "ear_status" in claims and _tier(claims).badness < ear.status.badness:
        raise EarRejectedError(reason="is better over all than one of its submodules")
