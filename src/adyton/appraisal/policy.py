"""A policy: what a relying party accepts, as a small YAML or JSON document.

Every field is a decision, and none has a default: what is not required is written as
``not-required``. A section that is left out accepts nothing. Unknown and duplicate fields are
errors that name where they are. ``docs/policy.schema.json`` is the same in JSON Schema.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from adyton.appraisal.document import (
    Choice,
    NotRequired,
    Required,
    age,
    age_json,
    items,
    named,
    required,
    section,
    text,
    word,
)
from adyton.appraisal.platforms import PlatformPolicy, Reference, TcbPolicy, read_platforms
from adyton.appraisal.proving import ProvingPolicy
from adyton.codec import yaml
from adyton.codec.json import Json, JsonObject, as_digest, as_string
from adyton.codec.text import from_base64, from_hex
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.model.claims import Platform, VendorRoot
from adyton.model.isolation import Isolation

__all__ = [
    "MAX_POLICY_BYTES",
    "Binding",
    "Choice",
    "EvidencePolicy",
    "PlatformPolicy",
    "Policy",
    "ProvingPolicy",
    "ReceiptPolicy",
    "Reference",
    "TcbPolicy",
]

VERSION: Final = "adyton/policy/v1"
MAX_POLICY_BYTES: Final = 256 * 1024
# What templates have in the places that only their reader can fill.
_TO_FILL_IN: Final = b"FILL-IN: "
_MAX_ROOT_BYTES: Final = 16 * 1024
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n?"
)


_MAX_BOUND_BYTES: Final = 1024

_Digests: TypeAlias = Mapping[str, frozenset[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What evidence has to be over, as a policy has it; ``None`` is what it leaves to others.

    ``manifests`` are SHA-256 digests of the manifests that are accepted.
    """

    report_data: bytes | None = None
    nonce: bytes | None = None
    public_key: bytes | None = None
    manifests: frozenset[bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePolicy:
    """How fresh evidence has to be, and what it has to be over.

    ``maximum_age`` is at the instant that the evidence speaks for: of a receipt, when it was given.
    With ``challenge`` required, the verifier must know the challenge and the evidence be over it.
    ``binding`` adds to what the verifier expects; where it is not required, evidence is accepted
    that is over nothing which anybody knows.
    """

    maximum_age: timedelta | NotRequired
    challenge: Required
    binding: Binding | NotRequired = Binding()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPolicy:
    """What is accepted of a receipt.

    ``circuits`` and ``providers`` have SHA-256 digests by name: of verification keys, and of
    canonical definitions. ``added_roots`` are the TLS roots, beside those of the image, that the
    worker may have trusted: with such a root's key, one can play any provider.
    """

    audience: frozenset[str] | NotRequired
    maximum_age: timedelta | NotRequired
    nonce: Required
    circuits: _Digests | Literal[Choice.BUILT_IN]
    providers: _Digests | Literal[Choice.ANY]
    added_roots: frozenset[bytes]
    isolation: frozenset[Isolation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a relying party accepts.

    ``receipt`` is ``None`` where it accepts no receipts for answers at all, and ``proving`` where
    it accepts none for delegated proofs.
    """

    vendor_roots: frozenset[VendorRoot]
    named_roots: Mapping[str, bytes]
    platforms: Mapping[Platform, PlatformPolicy]
    evidence: EvidencePolicy
    receipt: ReceiptPolicy | None
    proving: ProvingPolicy | None

    @classmethod
    def from_bytes(cls, data: bytes) -> "Policy":
        """Return the policy in a YAML (or JSON) file, or raise ``MalformedError``."""
        if _TO_FILL_IN in data:
            raise MalformedError("this is a template: fill in what still says FILL-IN")
        return cls.from_json(yaml.loads(data, limit_bytes=MAX_POLICY_BYTES))

    @classmethod
    def from_json(cls, value: Json) -> "Policy":
        """Return the policy in ``value``, or raise ``MalformedError``."""
        record = section(value, "policy", _POLICY_KEYS, optional=frozenset({"receipt", "proving"}))
        if record["version"] != VERSION:
            raise MalformedError(f'policy.version is not "{VERSION}"')
        vendor_roots, named_roots = _roots(named(record["roots"], "policy.roots"))
        return cls(
            vendor_roots=vendor_roots,
            named_roots=named_roots,
            platforms=read_platforms(record["platforms"]),
            evidence=_evidence(record["evidence"]),
            receipt=_receipt(record["receipt"]) if "receipt" in record else None,
            proving=ProvingPolicy.from_json(record["proving"]) if "proving" in record else None,
        )

    def to_json(self) -> JsonObject:
        """Return the document that reads as this policy."""
        record: JsonObject = {
            "version": VERSION,
            "roots": {
                **{root.value: Choice.BUILT_IN.value for root in sorted(self.vendor_roots)},
                **{name: root.hex() for name, root in self.named_roots.items()},
            },
            "platforms": {
                platform.value: accepted.to_json() for platform, accepted in self.platforms.items()
            },
            "evidence": _evidence_json(self.evidence),
        }
        if self.receipt is not None:
            record["receipt"] = _receipt_json(self.receipt)
        if self.proving is not None:
            record["proving"] = self.proving.to_json()
        return record


_POLICY_KEYS: Final = frozenset({"version", "roots", "platforms", "evidence"})
_EVIDENCE_KEYS: Final = frozenset({"maximum_age_seconds", "challenge"})
_BOUND_KEYS: Final = ("report_data", "nonce", "public_key")
_BINDING_KEYS: Final = frozenset({*_BOUND_KEYS, "manifests"})
_RECEIPT_KEYS: Final = frozenset(
    {
        "audience",
        "maximum_age_seconds",
        "nonce",
        "circuits",
        "providers",
        "added_roots",
        "isolation",
    }
)


def _roots(record: JsonObject) -> tuple[frozenset[VendorRoot], Mapping[str, bytes]]:
    vendors, others = set[VendorRoot](), dict[str, bytes]()
    for name, value in record.items():
        where = f"policy.roots.{name}"
        if name in set(VendorRoot):
            word(value, where, Choice.BUILT_IN)
            vendors.add(VendorRoot(name))
        else:
            others[name] = _root(value, where)
    return frozenset(vendors), MappingProxyType(others)


def _root(value: Json, where: str) -> bytes:
    found = as_string(value, where, limit=_MAX_ROOT_BYTES)
    if found == Choice.BUILT_IN.value:
        known = ", ".join(sorted(VendorRoot))
        raise MalformedError(f"{where} is not built in; built in is {known}")
    if (pem := _PEM.fullmatch(found)) is None:
        return as_digest(value, where)
    return sha256(from_base64(pem[1].replace("\n", ""), where, limit_bytes=_MAX_ROOT_BYTES))


def _evidence(value: Json) -> EvidencePolicy:
    where = "policy.evidence"
    record = section(value, where, _EVIDENCE_KEYS, optional=frozenset({"binding"}))
    return EvidencePolicy(
        maximum_age=age(record["maximum_age_seconds"], f"{where}.maximum_age_seconds"),
        challenge=required(record["challenge"], f"{where}.challenge"),
        binding=_binding(record.get("binding", {}), f"{where}.binding"),
    )


def _binding(value: Json, where: str) -> Binding | NotRequired:
    if isinstance(value, str):
        word(value, where, Choice.NOT_REQUIRED)
        return Choice.NOT_REQUIRED
    record = section(value, where, frozenset(), optional=_BINDING_KEYS)
    parts = {
        name: _bound(record[name], f"{where}.{name}") for name in _BOUND_KEYS if name in record
    }
    manifests = record.get("manifests")
    return Binding(
        **parts,
        manifests=None if manifests is None else items(manifests, f"{where}.manifests", as_digest),
    )


def _bound(value: Json, where: str) -> bytes:
    found = as_string(value, where, limit=2 * _MAX_BOUND_BYTES)
    if not found:
        raise MalformedError(f"{where} is empty")
    return from_hex(found, where, size=len(found) // 2)


def _evidence_json(evidence: EvidencePolicy) -> JsonObject:
    record: JsonObject = {
        "maximum_age_seconds": age_json(evidence.maximum_age),
        "challenge": evidence.challenge.value,
    }
    binding = evidence.binding
    if isinstance(binding, Choice):
        return {**record, "binding": binding.value}
    parts = {name: getattr(binding, name) for name in _BOUND_KEYS}
    bound: JsonObject = {name: part.hex() for name, part in parts.items() if part is not None}
    if binding.manifests is not None:
        bound["manifests"] = [manifest.hex() for manifest in sorted(binding.manifests)]
    return {**record, "binding": bound} if bound else record


def _receipt(value: Json) -> ReceiptPolicy:
    where = "policy.receipt"
    record = section(value, where, _RECEIPT_KEYS)
    audience, circuits, providers = record["audience"], record["circuits"], record["providers"]
    return ReceiptPolicy(
        audience=Choice.NOT_REQUIRED
        if audience == Choice.NOT_REQUIRED.value
        else items(audience, f"{where}.audience", text),
        maximum_age=age(record["maximum_age_seconds"], f"{where}.maximum_age_seconds"),
        nonce=required(record["nonce"], f"{where}.nonce"),
        circuits=Choice.BUILT_IN
        if circuits == Choice.BUILT_IN.value
        else _digests(circuits, f"{where}.circuits"),
        providers=Choice.ANY
        if providers == Choice.ANY.value
        else _digests(providers, f"{where}.providers"),
        added_roots=items(record["added_roots"], f"{where}.added_roots", as_digest, low=0),
        isolation=items(record["isolation"], f"{where}.isolation", _isolation),
    )


def _digests(value: Json, where: str) -> _Digests:
    return MappingProxyType(
        {
            name: items(item, f"{where}.{name}", as_digest)
            for name, item in named(value, where).items()
        }
    )


def _isolation(value: Json, where: str) -> Isolation:
    if value not in list(Isolation):
        raise MalformedError(f"{where} is not {' or '.join(Isolation)}")
    return Isolation(as_string(value, where))


def _receipt_json(receipt: ReceiptPolicy) -> JsonObject:
    audience, circuits, providers = receipt.audience, receipt.circuits, receipt.providers
    return {
        "audience": audience.value if isinstance(audience, Choice) else [*sorted(audience)],
        "maximum_age_seconds": age_json(receipt.maximum_age),
        "nonce": receipt.nonce.value,
        "circuits": circuits.value if isinstance(circuits, Choice) else _digests_json(circuits),
        "providers": providers.value if isinstance(providers, Choice) else _digests_json(providers),
        "added_roots": [digest.hex() for digest in sorted(receipt.added_roots)],
        "isolation": [level.value for level in sorted(receipt.isolation)],
    }


def _digests_json(digests: _Digests) -> JsonObject:
    return {name: [item.hex() for item in sorted(found)] for name, found in digests.items()}
