"""A policy: what a relying party accepts, as a small YAML or JSON document.

Every field is a decision, and none has a default: what is not required is written as
``not-required``. A section that is left out accepts nothing. Unknown and duplicate fields are
errors that name where they are. ``docs/policy.schema.json`` is the same in JSON Schema.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

from adyton.codec import yaml
from adyton.codec.json import (
    Json,
    JsonObject,
    as_integer,
    as_list,
    as_object,
    as_string,
    check_keys,
)
from adyton.codec.text import from_base64, from_hex
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.model.claims import Platform, VendorRoot
from adyton.model.isolation import Isolation

__all__ = [
    "MAX_POLICY_BYTES",
    "Choice",
    "EvidencePolicy",
    "PlatformPolicy",
    "Policy",
    "ReceiptPolicy",
    "Reference",
]

VERSION: Final = "adyton/policy/v1"
MAX_POLICY_BYTES: Final = 1024 * 1024
_MAX_ENTRIES: Final = 1024
_MAX_NAME: Final = 128
_MAX_SECONDS: Final = 100 * 366 * 86400
_SHA256: Final = 32
_MAX_ROOT_BYTES: Final = 16 * 1024
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n?"
)
_REGISTER: Final = re.compile(r"pcr([0-9]|[12][0-9]|3[01])")
_REGISTER_SIZES: Final = (32, 48, 64)


class Choice(StrEnum):
    """The words with which a policy decides."""

    REQUIRED = "required"
    NOT_REQUIRED = "not-required"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    BUILT_IN = "built-in"
    ANY = "any"


_Required: TypeAlias = Literal[Choice.REQUIRED, Choice.NOT_REQUIRED]
_NotRequired: TypeAlias = Literal[Choice.NOT_REQUIRED]
_Digests: TypeAlias = Mapping[str, frozenset[bytes]]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A named set of measurements: evidence has to agree with all of them."""

    name: str
    measurements: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPolicy:
    """What is accepted of one platform. One of ``references`` has to match."""

    debug: Literal[Choice.REFUSED, Choice.ACCEPTED]
    tcb: _NotRequired
    references: tuple[Reference, ...] | _NotRequired


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePolicy:
    """How fresh evidence has to be.

    ``maximum_age`` is at the instant that the evidence speaks for: of a receipt, when it was given.
    With ``challenge`` required, the verifier must know the challenge and the evidence be over it.
    """

    maximum_age: timedelta | _NotRequired
    challenge: _Required


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPolicy:
    """What is accepted of a receipt.

    ``circuits`` and ``providers`` have SHA-256 digests by name: of verification keys, and of
    canonical definitions. ``added_roots`` are the TLS roots, beside those of the image, that the
    worker may have trusted: with such a root's key, one can play any provider.
    """

    audience: frozenset[str] | _NotRequired
    maximum_age: timedelta | _NotRequired
    nonce: _Required
    circuits: _Digests | Literal[Choice.BUILT_IN]
    providers: _Digests | Literal[Choice.ANY]
    added_roots: frozenset[bytes]
    isolation: frozenset[Isolation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a relying party accepts. ``receipt`` is ``None`` where it accepts no receipts at all."""

    vendor_roots: frozenset[VendorRoot]
    named_roots: Mapping[str, bytes]
    platforms: Mapping[Platform, PlatformPolicy]
    evidence: EvidencePolicy
    receipt: ReceiptPolicy | None

    @classmethod
    def from_bytes(cls, data: bytes) -> "Policy":
        """Return the policy in a YAML (or JSON) file, or raise ``MalformedError``."""
        return cls.from_json(yaml.loads(data, limit_bytes=MAX_POLICY_BYTES))

    @classmethod
    def from_json(cls, value: Json) -> "Policy":
        """Return the policy in ``value``, or raise ``MalformedError``."""
        record = _section(value, "policy", _POLICY_KEYS, optional=frozenset({"receipt"}))
        if record["version"] != VERSION:
            raise MalformedError(f'policy.version is not "{VERSION}"')
        roots = _named(record["roots"], "policy.roots")
        built_in, named = _roots(roots)
        return cls(
            vendor_roots=built_in,
            named_roots=named,
            platforms=_platforms(record["platforms"]),
            evidence=_evidence(record["evidence"]),
            receipt=_receipt(record["receipt"]) if "receipt" in record else None,
        )

    def to_json(self) -> JsonObject:
        """Return the document that reads as this policy."""
        record: JsonObject = {
            "version": VERSION,
            "roots": {
                **{root.value: Choice.BUILT_IN.value for root in sorted(self.vendor_roots)},
                **{name: digest.hex() for name, digest in self.named_roots.items()},
            },
            "platforms": {
                platform.value: _platform_json(accepted)
                for platform, accepted in self.platforms.items()
            },
            "evidence": {
                "maximum_age_seconds": _age_json(self.evidence.maximum_age),
                "challenge": self.evidence.challenge.value,
            },
        }
        if self.receipt is not None:
            record["receipt"] = _receipt_json(self.receipt)
        return record


_POLICY_KEYS: Final = frozenset({"version", "roots", "platforms", "evidence"})
_PLATFORM_KEYS: Final = frozenset({"debug", "tcb", "measurements"})
_EVIDENCE_KEYS: Final = frozenset({"maximum_age_seconds", "challenge"})
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


def _section(
    value: Json, where: str, required: frozenset[str], *, optional: frozenset[str] = frozenset()
) -> JsonObject:
    record = as_object(value, where)
    check_keys(record, where, required=required, optional=optional)
    return record


def _named(value: Json, where: str) -> JsonObject:
    """Return an object whose keys are names that somebody chose: at least one."""
    record = as_object(value, where)
    if not 1 <= len(record) <= _MAX_ENTRIES:
        raise MalformedError(f"{where} has {len(record)} entries, not 1 to {_MAX_ENTRIES}")
    for name in record:
        if not 1 <= len(name) <= _MAX_NAME:
            raise MalformedError(f"{where} has a name of {len(name)} characters, not 1 to 128")
    return record


def _items(
    value: Json, where: str, read: Callable[[Json, str], _T], *, low: int = 1
) -> frozenset[_T]:
    items = as_list(value, where, limit=_MAX_ENTRIES)
    found = frozenset(read(item, f"{where}[{index}]") for index, item in enumerate(items))
    if len(items) < low or len(found) != len(items):
        raise MalformedError(f"{where} is empty, or has an item twice")
    return found


def _word(value: Json, where: str, *words: Choice) -> Choice:
    for word in words:
        if value == word.value:
            return word
    raise MalformedError(f"{where} is not {' or '.join(word.value for word in words)}")


def _text(value: Json, where: str) -> str:
    text = as_string(value, where, limit=256)
    if not text:
        raise MalformedError(f"{where} is empty")
    return text


def _digest(value: Json, where: str) -> bytes:
    return from_hex(as_string(value, where, limit=_MAX_ROOT_BYTES), where, size=_SHA256)


def _age(value: Json, where: str) -> timedelta | _NotRequired:
    if value == Choice.NOT_REQUIRED.value:
        return Choice.NOT_REQUIRED
    return timedelta(seconds=as_integer(value, where, low=1, high=_MAX_SECONDS))


def _age_json(age: timedelta | _NotRequired) -> Json:
    return age.value if isinstance(age, Choice) else int(age.total_seconds())


def _roots(record: JsonObject) -> tuple[frozenset[VendorRoot], Mapping[str, bytes]]:
    vendors, named = set[VendorRoot](), dict[str, bytes]()
    for name, value in record.items():
        where = f"policy.roots.{name}"
        if name in set(VendorRoot):
            _word(value, where, Choice.BUILT_IN)
            vendors.add(VendorRoot(name))
        else:
            named[name] = _root(value, where)
    return frozenset(vendors), MappingProxyType(named)


def _root(value: Json, where: str) -> bytes:
    text = as_string(value, where, limit=_MAX_ROOT_BYTES)
    if text == Choice.BUILT_IN.value:
        known = ", ".join(sorted(VendorRoot))
        raise MalformedError(f"{where} is not built in; built in is {known}")
    if (pem := _PEM.fullmatch(text)) is None:
        return _digest(value, where)
    return sha256(from_base64(pem[1].replace("\n", ""), where, limit_bytes=_MAX_ROOT_BYTES))


def _platforms(value: Json) -> Mapping[Platform, PlatformPolicy]:
    platforms = {}
    for name, item in _named(value, "policy.platforms").items():
        if name not in set(Platform):
            known = ", ".join(sorted(Platform))
            raise MalformedError(f"policy.platforms.{name} is no platform; there are {known}")
        platforms[Platform(name)] = _platform(item, f"policy.platforms.{name}")
    return MappingProxyType(platforms)


def _platform(value: Json, where: str) -> PlatformPolicy:
    record = _section(value, where, _PLATFORM_KEYS)
    debug = _word(record["debug"], f"{where}.debug", Choice.REFUSED, Choice.ACCEPTED)
    _word(record["tcb"], f"{where}.tcb", Choice.NOT_REQUIRED)
    return PlatformPolicy(
        debug=Choice.ACCEPTED if debug is Choice.ACCEPTED else Choice.REFUSED,
        tcb=Choice.NOT_REQUIRED,
        references=_references(record["measurements"], f"{where}.measurements"),
    )


def _references(value: Json, where: str) -> tuple[Reference, ...] | _NotRequired:
    if value == Choice.NOT_REQUIRED.value:
        return Choice.NOT_REQUIRED
    return tuple(
        Reference(name=name, measurements=_measurements(item, f"{where}.{name}"))
        for name, item in _named(value, where).items()
    )


def _measurements(value: Json, where: str) -> Mapping[str, bytes]:
    measurements = {}
    for name, item in _named(value, where).items():
        if not _REGISTER.fullmatch(name):
            raise MalformedError(f"{where}.{name} is no register; there are pcr0 to pcr31")
        text = as_string(item, f"{where}.{name}", limit=2 * max(_REGISTER_SIZES))
        size = len(text) // 2
        if size not in _REGISTER_SIZES:
            raise MalformedError(f"{where}.{name} has {size} bytes, not 32, 48 or 64")
        measurements[name] = from_hex(text, f"{where}.{name}", size=size)
    return MappingProxyType(measurements)


def _platform_json(accepted: PlatformPolicy) -> JsonObject:
    references = accepted.references
    return {
        "debug": accepted.debug.value,
        "tcb": accepted.tcb.value,
        "measurements": references.value
        if isinstance(references, Choice)
        else {
            reference.name: {name: value.hex() for name, value in reference.measurements.items()}
            for reference in references
        },
    }


def _evidence(value: Json) -> EvidencePolicy:
    record = _section(value, "policy.evidence", _EVIDENCE_KEYS)
    return EvidencePolicy(
        maximum_age=_age(record["maximum_age_seconds"], "policy.evidence.maximum_age_seconds"),
        challenge=_required(record["challenge"], "policy.evidence.challenge"),
    )


def _required(value: Json, where: str) -> _Required:
    word = _word(value, where, Choice.REQUIRED, Choice.NOT_REQUIRED)
    return Choice.REQUIRED if word is Choice.REQUIRED else Choice.NOT_REQUIRED


def _receipt(value: Json) -> ReceiptPolicy:
    where = "policy.receipt"
    record = _section(value, where, _RECEIPT_KEYS)
    audience, circuits, providers = record["audience"], record["circuits"], record["providers"]
    return ReceiptPolicy(
        audience=Choice.NOT_REQUIRED
        if audience == Choice.NOT_REQUIRED.value
        else _items(audience, f"{where}.audience", _text),
        maximum_age=_age(record["maximum_age_seconds"], f"{where}.maximum_age_seconds"),
        nonce=_required(record["nonce"], f"{where}.nonce"),
        circuits=Choice.BUILT_IN
        if circuits == Choice.BUILT_IN.value
        else _digests(circuits, f"{where}.circuits"),
        providers=Choice.ANY
        if providers == Choice.ANY.value
        else _digests(providers, f"{where}.providers"),
        added_roots=_items(record["added_roots"], f"{where}.added_roots", _digest, low=0),
        isolation=_items(record["isolation"], f"{where}.isolation", _isolation),
    )


def _digests(value: Json, where: str) -> _Digests:
    return MappingProxyType(
        {
            name: _items(item, f"{where}.{name}", _digest)
            for name, item in _named(value, where).items()
        }
    )


def _isolation(value: Json, where: str) -> Isolation:
    if value not in set(Isolation):
        raise MalformedError(f"{where} is not {' or '.join(Isolation)}")
    return Isolation(as_string(value, where))


def _receipt_json(receipt: ReceiptPolicy) -> JsonObject:
    audience, circuits, providers = receipt.audience, receipt.circuits, receipt.providers
    return {
        "audience": audience.value if isinstance(audience, Choice) else [*sorted(audience)],
        "maximum_age_seconds": _age_json(receipt.maximum_age),
        "nonce": receipt.nonce.value,
        "circuits": circuits.value if isinstance(circuits, Choice) else _digests_json(circuits),
        "providers": providers.value if isinstance(providers, Choice) else _digests_json(providers),
        "added_roots": [digest.hex() for digest in sorted(receipt.added_roots)],
        "isolation": [level.value for level in sorted(receipt.isolation)],
    }


def _digests_json(digests: _Digests) -> JsonObject:
    return {name: [item.hex() for item in sorted(found)] for name, found in digests.items()}
