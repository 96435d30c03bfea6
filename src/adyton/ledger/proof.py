"""A proof of the format provenclave/1: made from prepared text, and read.

What is signed is the canonical JSON (``codec.javascript``) of artifact, commit, key, enforcement,
measurement and, with evidence, its format. The next proof's ``prevB64`` is SHA-256 of the canonical
JSON of the whole proof. A maker that prints fields generically spends more on that than on signing;
``ProofTemplate`` has everything but a commit's own fields as text already.
"""

import math
import re
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adyton.codec.javascript import Value, ValueObject, canonical, loads
from adyton.codec.json import MAX_SAFE_INTEGER
from adyton.codec.text import exact_base64, to_base64
from adyton.crypto.ed25519 import PUBLIC_KEY_SIZE, SIGNATURE_SIZE
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.ledger.epoch import LINK_FIELD, EpochLink

__all__ = [
    "DIGEST_SIZE",
    "MAX_PROOF_BYTES",
    "MIN_NONCE_SIZE",
    "VERSION",
    "Attestation",
    "Enforcement",
    "Proof",
    "ProofTemplate",
    "proof_hash",
]

VERSION: Final = "provenclave/1"
DIGEST_SIZE: Final = 32
MIN_NONCE_SIZE: Final = 16
MAX_PROOF_BYTES: Final = 256 * 1024
_COUNTER: Final = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)
_HASH_ALGORITHM: Final = "sha256"
# What the template writes itself; ``extra`` may not say it a second time.
_OWN_FIELDS: Final = frozenset({"anchor", "counter", "epochId", "nonceB64", "prevB64", "time"})
_NOTHING: Final[Mapping[str, Value]] = MappingProxyType({})


class Enforcement(StrEnum):
    """How a proof's maker says that its key is held. Self-reported: only evidence shows it."""

    STUB = "stub"
    HARDWARE_KEY = "hw-key"
    MEASURED_TEE = "measured-tee"


def proof_hash(proof: bytes) -> bytes:
    """Return the hash of a whole canonical proof, which the next one's ``prevB64`` holds."""
    return sha256(proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofTemplate:
    """What all proofs of one epoch have in common, as text.

    ``anchor`` is the kind of anchor that holds the counter; ``report`` is the evidence that all of
    them carry, where it is not made for each.
    """

    public_key: bytes
    enforcement: Enforcement
    measurement: str
    epoch_id: str | None
    attestation_format: str | None
    anchor: str | None = None
    report: bytes | None = field(default=None, repr=False)
    _start: bytes = field(init=False, repr=False, compare=False)
    _evidence: bytes = field(init=False, repr=False, compare=False)
    _head: bytes = field(init=False, repr=False, compare=False)
    _format: bytes = field(init=False, repr=False, compare=False)
    _epoch: bytes = field(init=False, repr=False, compare=False)
    _tail: bytes = field(init=False, repr=False, compare=False)
    _environment: bytes = field(init=False, repr=False, compare=False)
    _signer: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.public_key) != PUBLIC_KEY_SIZE:
            raise ValueError(f"a public key has {PUBLIC_KEY_SIZE} bytes")
        if "" in {self.measurement, self.epoch_id, self.attestation_format, self.anchor}:
            raise ValueError("a measurement, an epoch, a format or an anchor is no empty text")
        if self.report is not None and (not self.report or self.attestation_format is None):
            raise ValueError("evidence is not empty, and has a format")
        key, measurement = _base64(self.public_key), canonical(self.measurement)
        shown = b'"enforcement":"%b","measurement":%b' % (self.enforcement.encode(), measurement)
        kind = self.attestation_format
        prepared = {
            "_head": b'{"artifact":{"digestB64":"',
            "_format": b"" if kind is None else b'"attestationFormat":%b,' % canonical(kind),
            "_start": _COMMIT_START % (b"" if self.anchor is None else _anchor(self.anchor)),
            "_epoch": b"" if self.epoch_id is None else b',"epochId":' + canonical(self.epoch_id),
            "_evidence": b"" if self.report is None else self._attestation(self.report),
            "_tail": b',%b,"publicKeyB64":"%b","version":"%b"}' % (shown, key, VERSION.encode()),
            "_environment": shown,
            "_signer": b'"signer":{"publicKeyB64":"%b","signatureB64":"' % key,
        }
        for name, text in prepared.items():
            object.__setattr__(self, name, text)

    def body(
        self,
        *,
        digest: bytes,
        counter: int,
        nonce: bytes,
        time_ms: int,
        prev: bytes | None = None,
        extra: Mapping[str, Value] = _NOTHING,
    ) -> bytes:
        """Return the bytes to sign.

        ``prev`` is the hash of the proof before, absent on the first of an epoch; ``extra`` has
        more members of ``commit``, which are signed as they stand. ``ValueError`` where an argument
        is none: callers check what comes from outside before it gets here.
        """
        _check_arguments(digest, counter, nonce, time_ms, prev)
        if extra:
            commit = self._generic_commit(counter, nonce, time_ms, prev, extra)
        else:
            commit = b'%b%d"%b,"nonceB64":"%b"%b,"time":%d}' % (
                self._start,
                counter,
                self._epoch,
                _base64(nonce),
                b"" if prev is None else b',"prevB64":"%b"' % _base64(prev),
                time_ms,
            )
        return b"".join(
            (
                self._head,
                _base64(digest),
                _AFTER_DIGEST,
                self._format,
                _BEFORE_COMMIT,
                commit,
                self._tail,
            )
        )

    def evidence_digest(self, body: bytes) -> bytes:
        """Return what evidence over one commit is over: SHA-256 of the body without its format.

        The format is known only with the evidence, so that its hash cannot hold it; the signature
        does.
        """
        start = len(self._head) + _DIGEST_TEXT + len(_AFTER_DIGEST)
        return sha256(body[:start] + body[start + len(self._format) :])

    def proof(
        self,
        *,
        body: bytes,
        signature: bytes,
        report: bytes | None = None,
        metadata: bytes | None = None,
    ) -> bytes:
        """Return the whole proof, canonical: nothing may be added to it after it was hashed.

        It is cut from ``body``, so that what is shown is what was signed. ``report`` is evidence
        in place of the template's, and one of them is there where the template has a format;
        ``metadata`` is the canonical JSON of an object, which nobody signs.
        """
        if len(signature) != SIGNATURE_SIZE:
            raise ValueError(f"a signature has {SIGNATURE_SIZE} bytes")
        evidence = self._evidence if report is None else self._attestation(report)
        if bool(evidence) != (self.attestation_format is not None) or report == b"":
            raise ValueError("a proof has evidence where its template has a format, and only there")
        start = len(self._head) + _DIGEST_TEXT + len(_AFTER_DIGEST)
        commit = start + len(self._format)
        return b"".join(
            (
                body[:start],
                body[commit : -len(self._tail)],
                b',"environment":{',
                evidence,
                self._environment,
                b"}," if metadata is None else b'},"metadata":%b,' % metadata,
                self._signer,
                _base64(signature),
                _END,
            )
        )

    def _attestation(self, report: bytes) -> bytes:
        name = canonical(self.attestation_format)
        return b'"attestation":{"format":%b,"reportB64":"%b"},' % (name, _base64(report))

    def _generic_commit(
        self,
        counter: int,
        nonce: bytes,
        time_ms: int,
        prev: bytes | None,
        extra: Mapping[str, Value],
    ) -> bytes:
        if twice := sorted(_OWN_FIELDS & extra.keys()):
            raise ValueError(f"a commit has its own {', '.join(twice)}")
        commit: ValueObject = {
            "counter": str(counter),
            "nonceB64": _base64(nonce).decode(),
            "time": time_ms,
            **extra,
        }
        if self.epoch_id is not None:
            commit["epochId"] = self.epoch_id
        if self.anchor is not None:
            commit["anchor"] = self.anchor
        if prev is not None:
            commit["prevB64"] = _base64(prev).decode()
        return canonical(commit)


_DIGEST_TEXT: Final = 44
_AFTER_DIGEST: Final = b'","hashAlg":"%b"},' % _HASH_ALGORITHM.encode()
_BEFORE_COMMIT: Final = b'"commit":'
_COMMIT_START: Final = b'{%b"counter":"'
_END: Final = b'"},"version":"%b"}' % VERSION.encode()


def _check_arguments(
    digest: bytes, counter: int, nonce: bytes, time_ms: int, prev: bytes | None
) -> None:
    if len(digest) != DIGEST_SIZE or (prev is not None and len(prev) != DIGEST_SIZE):
        raise ValueError(f"digests have {DIGEST_SIZE} bytes")
    if len(nonce) < MIN_NONCE_SIZE:
        raise ValueError(f"a nonce has at least {MIN_NONCE_SIZE} bytes")
    if counter < 0 or not 0 <= time_ms <= MAX_SAFE_INTEGER:
        raise ValueError("a counter or a time is out of range")


def _anchor(kind: str) -> bytes:
    return b'"anchor":%b,' % canonical(kind)


def _base64(data: bytes) -> bytes:
    return b2a_base64(data, newline=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """Evidence as a proof carries it: the name of its format, which is signed, and its text."""

    format: str
    report_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that has the right structure. Nothing of it is verified, base64 not even decoded.

    ``document`` is the whole of it; the others are its members, texts as they stand there.
    """

    document: ValueObject = field(repr=False)
    digest_text: str
    nonce_text: str
    counter: str | None
    time: float | None
    prev_text: str | None
    epoch_id: str | None
    public_key_text: str
    signature_text: str
    enforcement: Enforcement
    measurement: str
    attestation: Attestation | None

    @classmethod
    def from_bytes(cls, data: bytes) -> "Proof":
        """Return the proof in a file, or raise ``MalformedError``."""
        return cls.from_json(loads(data, limit_bytes=MAX_PROOF_BYTES))

    @classmethod
    def from_json(cls, value: Value) -> "Proof":
        """Return the proof in ``value``, or raise ``MalformedError`` with what is wrong with it.

        1. it is an object of this version;
        2. ``artifact`` names SHA-256 and has a digest;
        3. ``commit`` has a nonce, and what else it has of the format is of the right type;
        4. ``signer`` has a key and a signature;
        5. ``environment`` has a kind of enforcement and a measurement;
        6. evidence, where there is any, has a format and a report.

        What else it has is let be: in ``artifact`` and ``commit`` it is signed, elsewhere nobody's.
        """
        # Step 1
        if not isinstance(value, dict):
            raise MalformedError("the proof is not an object")
        if value.get("version") != VERSION:
            raise MalformedError(f'the proof\'s version is not "{VERSION}"')
        # Step 2
        artifact = _member(value, "artifact")
        if artifact.get("hashAlg") != _HASH_ALGORITHM:
            raise MalformedError(f'artifact.hashAlg is not "{_HASH_ALGORITHM}"')
        digest_text = _text(artifact, "artifact", "digestB64")
        # Step 3
        commit = _member(value, "commit")
        nonce_text = _text(commit, "commit", "nonceB64")
        counter, prev, epoch = (
            _optional_text(commit, "commit", key) for key in ("counter", "prevB64", "epochId")
        )
        # Step 4
        signer = _member(value, "signer")
        # Step 5
        environment = _member(value, "environment")
        # Step 6: absent is absent; null is a value, and not an object.
        has_evidence = "attestation" in environment
        return cls(
            document=value,
            digest_text=digest_text,
            nonce_text=nonce_text,
            counter=counter,
            time=_time(commit),
            prev_text=prev,
            epoch_id=epoch,
            public_key_text=_text(signer, "signer", "publicKeyB64"),
            signature_text=_text(signer, "signer", "signatureB64"),
            enforcement=_enforcement(environment),
            measurement=_text(environment, "environment", "measurement"),
            attestation=_attestation(environment) if has_evidence else None,
        )

    @property
    def commit(self) -> ValueObject:
        """The signed member ``commit``, with all that it has."""
        return _member(self.document, "commit")

    def number(self) -> int | None:
        """Return the counter, ``None`` where there is none; ``MalformedError`` for another text."""
        if self.counter is None:
            return None
        if not _COUNTER.fullmatch(self.counter):
            raise MalformedError("commit.counter is not a decimal number without leading zeros")
        return int(self.counter)

    def step(self) -> int:
        """Return by how much its counter is above that of the proof before."""
        # Later services take one number for a slot and the next one for its commit.
        return 2 if "slotCounter" in self.commit else 1

    def link(self) -> EpochLink | None:
        """Return the link to the epoch before, where it has one; ``MalformedError`` if it is none.

        It is for this proof's epoch, key and counter, or it is none.
        """
        if LINK_FIELD not in self.commit:
            return None
        link = EpochLink.from_json(self.commit[LINK_FIELD])
        if (link.epoch, to_base64(link.public_key), link.previous_counter + self.step()) != (
            self.epoch_id,
            self.public_key_text,
            self.number(),
        ):
            raise MalformedError("commit.epochLink is not to this epoch, key and counter")
        return link

    def previous_hash(self) -> bytes | None:
        """Return the hash of the proof before, ``None`` on the first; ``MalformedError`` if bad."""
        link, named = self.link(), None
        if self.prev_text is not None:
            named = exact_base64(self.prev_text, "commit.prevB64", size=DIGEST_SIZE)
        if link is None:
            return named
        if named is not None and named != link.previous_hash:
            raise MalformedError("commit.prevB64 and commit.epochLink name different proofs")
        return link.previous_hash

    def body(self) -> bytes:
        """Return the bytes that were signed, if the signature holds."""
        return canonical(self._body(with_format=True))

    def body_without_format(self) -> bytes:
        """Return the body as evidence over one commit sees it (``ProofTemplate``)."""
        return canonical(self._body(with_format=False))

    def hash(self) -> bytes:
        """Return what the next proof's ``prevB64`` holds."""
        return proof_hash(canonical(self.document))

    def _body(self, *, with_format: bool) -> ValueObject:
        body: ValueObject = {
            "version": VERSION,
            "artifact": self.document["artifact"],
            "commit": self.document["commit"],
            "publicKeyB64": self.public_key_text,
            "enforcement": self.enforcement.value,
            "measurement": self.measurement,
        }
        if with_format and self.attestation is not None:
            body["attestationFormat"] = self.attestation.format
        return body


def _member(value: ValueObject, name: str) -> ValueObject:
    member = value.get(name)
    if not isinstance(member, dict):
        raise MalformedError(f"the proof's {name} is missing or not an object")
    return member


def _text(value: ValueObject, where: str, key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str) or not text:
        raise MalformedError(f"{where}.{key} is not a text, or an empty one")
    return text


def _optional_text(value: ValueObject, where: str, key: str) -> str | None:
    text = value.get(key)
    if isinstance(text, str):
        return text
    if key in value:
        raise MalformedError(f"{where}.{key} is there and not a text")
    return None


def _time(commit: ValueObject) -> float | None:
    if "time" not in commit:
        return None
    time = commit["time"]
    if isinstance(time, bool) or not isinstance(time, int | float):
        raise MalformedError("commit.time is there and not a number")
    if not math.isfinite(time) or time < 0:
        raise MalformedError("commit.time is not finite, or before 1970")
    return time


def _enforcement(environment: ValueObject) -> Enforcement:
    try:
        return Enforcement(str(environment.get("enforcement")))
    except ValueError as error:
        names = ", ".join(Enforcement)
        raise MalformedError(f"environment.enforcement is none of {names}") from error


def _attestation(environment: ValueObject) -> Attestation:
    value = environment["attestation"]
    if not isinstance(value, dict):
        raise MalformedError("environment.attestation is there and not an object")
    return Attestation(
        format=_text(value, "environment.attestation", "format"),
        report_text=_text(value, "environment.attestation", "reportB64"),
    )
