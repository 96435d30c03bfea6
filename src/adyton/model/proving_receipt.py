"""A receipt for a delegated proof: what a worker asserts about it, signed, with the proof itself.

A proof shows that somebody knew a witness. The receipt adds that this worker made it, for this
request, with this program: that nobody else has seen the witness follows from the evidence, if its
measurement is one that the reader accepts.
"""

from dataclasses import dataclass, field
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_base64,
    as_digest,
    as_integer,
    as_object,
    canonical,
    check_keys,
    loads,
)
from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.model.manifest import Manifest
from adyton.model.proving import ProvingHeader
from adyton.model.public_inputs import public_input_texts, read_public_inputs
from adyton.model.window import LAST_SECOND

__all__ = [
    "MAX_PROVING_RECEIPT_BYTES",
    "PROVING_SIGNATURE_DOMAIN",
    "ProvingReceipt",
    "ProvingStatement",
]

STATEMENT_VERSION: Final = "adyton/proving-statement/v1"
VERSION: Final = "adyton/proving-receipt/v1"
PROVING_SIGNATURE_DOMAIN: Final = "adyton/proving-receipt/v1"
MAX_PROVING_RECEIPT_BYTES: Final = 1024 * 1024
_SIGNATURE_SIZE: Final = 64
_MAX_PUBLIC_INPUTS: Final = 4096
_MAX_BINARY_BYTES: Final = 512 * 1024
_MAX_CHALLENGE_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvingStatement:
    """What a worker asserts: for this request, with this circuit, it made this proof.

    Digests are SHA-256: ``sealed`` of the whole request as it was sent, ``circuit`` of the program
    (of a chain of them, of their digests one after the other), ``public_inputs`` of them, each 32
    bytes, big-endian, ``manifest`` of the canonical manifest. ``time`` is Unix time in seconds, by
    the worker's clock.
    """

    header: ProvingHeader
    sealed: bytes
    circuit: bytes
    verification_key: bytes
    public_inputs: bytes
    proof: bytes
    time: int
    manifest: bytes

    def to_json(self) -> JsonObject:
        """Return the form that is signed and shown."""
        return {
            "version": STATEMENT_VERSION,
            "request": self.header.to_json(),
            "sealed": self.sealed.hex(),
            "circuit": self.circuit.hex(),
            "verification_key": self.verification_key.hex(),
            "public_inputs": self.public_inputs.hex(),
            "proof": self.proof.hex(),
            "time": self.time,
            "manifest": self.manifest.hex(),
        }

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical(self.to_json())

    @classmethod
    def from_json(cls, value: Json) -> "ProvingStatement":
        """Return the statement in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "statement")
        check_keys(record, "statement", required=_STATEMENT_KEYS, optional=frozenset())
        if record["version"] != STATEMENT_VERSION:
            raise MalformedError(f'the statement\'s version is not "{STATEMENT_VERSION}"')
        return cls(
            header=ProvingHeader.from_json(record["request"]),
            sealed=as_digest(record["sealed"], "sealed"),
            circuit=as_digest(record["circuit"], "circuit"),
            verification_key=as_digest(record["verification_key"], "verification_key"),
            public_inputs=as_digest(record["public_inputs"], "public_inputs"),
            proof=as_digest(record["proof"], "proof"),
            time=as_integer(record["time"], "time", high=LAST_SECOND),
            manifest=as_digest(record["manifest"], "manifest"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvingReceipt:
    """A proof, and everything that speaks for where it was made.

    ``public_inputs`` are field elements; a Chonk proof has its own within it, and none here.
    ``evidence`` is the document of the worker's platform over ``manifest`` and ``challenge`` (empty
    where the asker sent none).
    """

    statement: ProvingStatement
    signature: bytes
    manifest: Manifest
    evidence: bytes
    challenge: bytes
    proof: bytes = field(repr=False)
    public_inputs: tuple[int, ...]
    verification_key: bytes = field(repr=False)

    def to_json(self) -> JsonObject:
        """Return the form that is sent and kept."""
        return {
            "version": VERSION,
            "statement": self.statement.to_json(),
            "signature": to_base64(self.signature),
            "manifest": self.manifest.to_json(),
            "evidence": to_base64(self.evidence),
            "challenge": to_base64(self.challenge),
            "proof": to_base64(self.proof),
            "public_inputs": [*public_input_texts(self.public_inputs)],
            "verification_key": to_base64(self.verification_key),
        }

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return canonical(self.to_json())

    @classmethod
    def from_bytes(cls, data: bytes) -> "ProvingReceipt":
        """Return the receipt in a file, or raise ``MalformedError``."""
        return cls.from_json(loads(data, limit_bytes=MAX_PROVING_RECEIPT_BYTES))

    @classmethod
    def from_json(cls, value: Json) -> "ProvingReceipt":
        """Return the receipt in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "the receipt")
        check_keys(record, "the receipt", required=_RECEIPT_KEYS, optional=frozenset())
        if record["version"] != VERSION:
            raise MalformedError(f'the receipt\'s version is not "{VERSION}"')
        return cls(
            statement=ProvingStatement.from_json(record["statement"]),
            signature=_binary(record, "signature", limit_bytes=_SIGNATURE_SIZE),
            manifest=Manifest.from_json(record["manifest"]),
            evidence=_binary(record, "evidence"),
            challenge=_binary(record, "challenge", limit_bytes=_MAX_CHALLENGE_BYTES),
            proof=_binary(record, "proof"),
            public_inputs=read_public_inputs(record["public_inputs"], limit=_MAX_PUBLIC_INPUTS),
            verification_key=_binary(record, "verification_key"),
        )


_STATEMENT_KEYS: Final = frozenset(
    {
        "version",
        "request",
        "sealed",
        "circuit",
        "verification_key",
        "public_inputs",
        "proof",
        "time",
        "manifest",
    }
)
_RECEIPT_KEYS: Final = frozenset(
    {
        "version",
        "statement",
        "signature",
        "manifest",
        "evidence",
        "challenge",
        "proof",
        "public_inputs",
        "verification_key",
    }
)


def _binary(record: JsonObject, name: str, *, limit_bytes: int = _MAX_BINARY_BYTES) -> bytes:
    return as_base64(record[name], name, limit_bytes=limit_bytes)
