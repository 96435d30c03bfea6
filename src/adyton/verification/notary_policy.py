"""What a relying party accepts of a notary's proofs, as a small YAML or JSON document.

Three documents are read: one of this module's own; the trust anchors of npm's ``provenclave``, an
object without ``version``, which decide about the signer alone; and the policy for receipts
(``appraisal.policy``), which decides about the evidence alone.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from adyton.appraisal.document import (
    Choice,
    NotRequired,
    Required,
    items,
    required,
    section,
)
from adyton.appraisal.policy import MAX_POLICY_BYTES, Policy
from adyton.codec import yaml
from adyton.codec.javascript import Value
from adyton.codec.json import Json, as_object, as_string
from adyton.codec.pem import read_chain
from adyton.errors import MalformedError
from adyton.ledger.checkpoint import NoteKey
from adyton.ledger.proof import Enforcement

__all__ = ["OPEN", "VERSION", "LogPolicy", "NotaryPolicy", "TrustAnchors", "big_integer"]

VERSION: Final = "adyton/notary-policy/v1"
_MAX_ITEMS: Final = 1024
_MAX_ROOT: Final = 16 * 1024
# ECMA-262, section 7.1.14 (StringToBigInt): a sign only before decimal digits, white space outside.
_DECIMAL: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_RADIX: Final = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)", re.ASCII)
_WHITE: Final = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
# Python refuses to convert more digits than this, and no counter has as many.
_MAX_DIGITS: Final = 4000


def big_integer(text: str) -> int | None:
    """Return what JavaScript's ``BigInt`` makes of ``text``; ``None`` where it throws.

    So that two verifiers agree on numbers which no maker of proofs should write.
    """
    stripped = text.strip(_WHITE)
    if not stripped:
        return 0
    if len(stripped) > _MAX_DIGITS:
        return None
    if _DECIMAL.fullmatch(stripped):
        return int(stripped)
    return int(stripped, 0) if _RADIX.fullmatch(stripped) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchors:
    """Whose proofs are accepted, in the words of npm's package; ``None`` and empty ask nothing.

    Times are milliseconds since 1970.
    """

    enforcement: Enforcement | None = None
    measurements: frozenset[str] = frozenset()
    public_keys: frozenset[str] = frozenset()
    requires_attestation: bool = False
    attestation_formats: frozenset[str] = frozenset()
    min_counter: int | None = None
    max_counter: int | None = None
    min_time: float | None = None
    max_time: float | None = None
    requires_epoch: bool = False

    @classmethod
    def from_json(cls, value: Value) -> "TrustAnchors":
        """Return the anchors in ``value``, or raise ``MalformedError``.

        Stricter than the package, which takes what it does not know for nothing: a wish that nobody
        can check here is refused, not granted.
        """
        if not isinstance(value, dict):
            raise MalformedError("trust anchors are not an object")
        if unknown := sorted(value.keys() - _READERS.keys()):
            raise MalformedError(f"nobody here can check the trust anchor {unknown[0][:64]!r}")
        fields = {_READERS[key][0]: _READERS[key][1](item, key) for key, item in value.items()}
        return cls(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPolicy:
    """Whose checkpoints are accepted, beside those of the proof's own key, and what they must show.

    ``authorities`` are the roots, in DER, of who stamps checkpoints with the time; in a document
    they are PEM.
    """

    keys: frozenset[NoteKey]
    inclusion: Required
    timestamp: Required
    authorities: frozenset[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotaryPolicy:
    """What is accepted of a proof.

    With ``artifact`` required, the verifier must have the bytes that the proof is about; with
    ``predecessor`` required, the proof before. ``evidence`` is the policy that the proof's evidence
    has to satisfy.
    """

    signer: TrustAnchors
    artifact: Required
    predecessor: Required
    log: LogPolicy
    evidence: Policy | NotRequired

    @classmethod
    def from_bytes(cls, data: bytes) -> "NotaryPolicy":
        """Return the policy in a YAML (or JSON) file, or raise ``MalformedError``."""
        return cls.from_json(yaml.loads(data, limit_bytes=MAX_POLICY_BYTES))

    @classmethod
    def from_json(cls, value: Json) -> "NotaryPolicy":
        """Return the policy in ``value``, whichever of the three documents it is."""
        record = as_object(value, "policy")
        if "version" not in record:
            return cls.of(signer=TrustAnchors.from_json(record))
        if record["version"] != VERSION:
            return cls.of(evidence=Policy.from_json(record))
        section(record, "policy", _KEYS)
        evidence = record["evidence"]
        return cls(
            signer=TrustAnchors.from_json(record["signer"]),
            artifact=required(record["artifact"], "policy.artifact"),
            predecessor=required(record["predecessor"], "policy.predecessor"),
            log=_log(record["log"]),
            evidence=Choice.NOT_REQUIRED
            if evidence == Choice.NOT_REQUIRED.value
            else Policy.from_json(evidence),
        )

    @classmethod
    def of(
        cls, *, signer: TrustAnchors | None = None, evidence: Policy | None = None
    ) -> "NotaryPolicy":
        """Return a policy that decides about these alone, and requires nothing else."""
        return cls(
            signer=signer or TrustAnchors(),
            artifact=Choice.NOT_REQUIRED,
            predecessor=Choice.NOT_REQUIRED,
            log=LogPolicy(
                keys=frozenset(),
                inclusion=Choice.NOT_REQUIRED,
                timestamp=Choice.NOT_REQUIRED,
                authorities=frozenset(),
            ),
            evidence=evidence or Choice.NOT_REQUIRED,
        )


# Nobody's policy: what is there is verified, and whose it is, nobody asks.
OPEN: Final = NotaryPolicy.of()

_KEYS: Final = frozenset({"version", "signer", "artifact", "predecessor", "log", "evidence"})
_LOG_KEYS: Final = frozenset({"keys", "inclusion", "timestamp", "authorities"})


def _log(value: Json) -> LogPolicy:
    where = "policy.log"
    record = section(value, where, _LOG_KEYS)
    return LogPolicy(
        keys=items(record["keys"], f"{where}.keys", _note_key, low=0),
        inclusion=required(record["inclusion"], f"{where}.inclusion"),
        timestamp=required(record["timestamp"], f"{where}.timestamp"),
        authorities=items(record["authorities"], f"{where}.authorities", _root, low=0),
    )


def _note_key(value: Json, where: str) -> NoteKey:
    return NoteKey.from_text(as_string(value, where))


def _root(value: Json, where: str) -> bytes:
    text = as_string(value, where, limit=_MAX_ROOT)
    (root,) = read_chain(text.encode(), where, size=1)
    return root


def _enforcement(value: Value, key: str) -> Enforcement:
    if value not in list(Enforcement):
        raise MalformedError(f"{key} is not {', '.join(Enforcement)}")
    return Enforcement(str(value))


def _texts(value: Value, key: str) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > _MAX_ITEMS:
        raise MalformedError(f"{key} is not a list, or one of more than {_MAX_ITEMS}")
    if not all(isinstance(item, str) for item in value):
        raise MalformedError(f"{key} has something that is not a text")
    return frozenset(map(str, value))


def _flag(value: Value, key: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedError(f"{key} is not a boolean")
    return value


def _counter(value: Value, key: str) -> int:
    # A number is what people write; the package's own type is a text, for numbers beyond 2^53.
    number = big_integer(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int):
        raise MalformedError(f"{key} is not an integer")
    return number


def _time(value: Value, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise MalformedError(f"{key} is not a number of milliseconds")
    if not math.isfinite(value):
        raise MalformedError(f"{key} is not a finite number")
    return value if isinstance(value, int) else float(value)


# By the package's name of an anchor: ours, and who reads it.
_READERS: Final[Mapping[str, tuple[str, Callable[[Value, str], Any]]]] = MappingProxyType(
    {
        "requireEnforcement": ("enforcement", _enforcement),
        "allowedMeasurements": ("measurements", _texts),
        "allowedPublicKeys": ("public_keys", _texts),
        "requireAttestation": ("requires_attestation", _flag),
        "requireAttestationFormat": ("attestation_formats", _texts),
        "minCounter": ("min_counter", _counter),
        "maxCounter": ("max_counter", _counter),
        "minTime": ("min_time", _time),
        "maxTime": ("max_time", _time),
        "requireEpochId": ("requires_epoch", _flag),
    }
)
