"""A commit's request, read: strictly, and before anything is committed.

JSON as JavaScript reads it (``codec.javascript``): metadata become part of the proof that is
hashed, and must print as they do there.
"""

import re
from binascii import a2b_base64
from typing import Final

from adyton.codec.javascript import Value, canonical, loads
from adyton.codec.text import from_base64
from adyton.crypto.hashing import prefixed, sha256
from adyton.errors import MalformedError
from adyton.ledger.records import MAX_DIGESTS, MAX_METADATA_BYTES, Submission

__all__ = ["MAX_COMMIT_BYTES", "read_key", "read_metadata", "read_submission"]

MAX_COMMIT_BYTES: Final = 512 * 1024
_DIGEST_SIZE: Final = 32
_DIGEST_TEXT: Final = 44
_MAX_KEY_LENGTH: Final = 256
_MAX_METADATA_DEPTH: Final = 8
# In all proofs of an answer together: each carries its own copy.
_MAX_COPIES_BYTES: Final = 1024 * 1024
_MEMBERS: Final = frozenset({"digests", "metadata", "prevProofId", "attestation"})
_DIGEST_MEMBERS: Final = {"digestB64", "hashAlg"}
# Nothing but digests, as most requests have it, members in the order that the documents show. What
# the last character of 32 bytes has of bits that are not used is zero.
_TEXT: Final = rb'"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"'
_PLAIN_DIGEST: Final = rb'_\{_"digestB64"_:_%b_,_"hashAlg"_:_"sha256"_\}_' % _TEXT
_PLAIN: Final = re.compile(
    (rb'_\{_"digests"_:_\[%b(?:,%b)*\]_\}_' % (_PLAIN_DIGEST, _PLAIN_DIGEST)).replace(
        b"_", rb"[ \t\r\n]*"
    )
)
_PLAIN_TEXT: Final = re.compile(_TEXT)
_FRESH: Final = "fresh"
_ATTESTATIONS: Final = frozenset({"epoch", _FRESH})


def read_submission(body: bytes, *, key: bytes = b"") -> Submission:
    """Return the submission in a JSON body, or raise ``MalformedError``.

    1. it is an object, and has no member that would silently not be signed;
    2. ``digests`` is a list of SHA-256 digests, each in canonical base64;
    3. ``metadata`` is an object within its limits, also once for each digest;
    4. ``attestation`` says which evidence the proofs carry, where it is there.

    ``prevProofId`` is taken and means nothing: each proof follows the one before it in the ledger.
    """
    # All steps at once: no other request reads like this, and no reader reads it otherwise.
    if len(body) <= MAX_COMMIT_BYTES and _PLAIN.fullmatch(body):
        texts = _PLAIN_TEXT.findall(body)
        return Submission(digests=tuple(map(a2b_base64, texts)), key=key)
    # Step 1
    value = loads(body, limit_bytes=MAX_COMMIT_BYTES)
    if not isinstance(value, dict):
        raise MalformedError("the request is not an object")
    if unknown := sorted(value.keys() - _MEMBERS):
        raise MalformedError(f"the request has the unknown field {unknown[0][:64]!r}")
    # Step 2
    digests = value.get("digests")
    if not isinstance(digests, list) or not 0 < len(digests) <= MAX_DIGESTS:
        raise MalformedError(f"digests is not a list of 1 to {MAX_DIGESTS} digests")
    # Step 3
    metadata = b""
    if "metadata" in value:
        metadata = read_metadata(value["metadata"], copies=len(digests))
    # Step 4
    attestation = value.get("attestation", "epoch")
    if not isinstance(attestation, str) or attestation not in _ATTESTATIONS:
        raise MalformedError(f"attestation is not one of {', '.join(sorted(_ATTESTATIONS))}")
    if not isinstance(value.get("prevProofId", ""), str):
        raise MalformedError("prevProofId is not a string")
    return Submission(
        digests=tuple(_digest(item) for item in digests),
        metadata=metadata,
        key=key,
        fresh=attestation == _FRESH,
    )


def read_metadata(value: Value, *, copies: int) -> bytes:
    """Return the canonical form of metadata for so many proofs, or raise ``MalformedError``."""
    if not isinstance(value, dict):
        raise MalformedError("metadata is not an object")
    _check_depth(value, _MAX_METADATA_DEPTH)
    metadata = canonical(value)
    if len(metadata) > MAX_METADATA_BYTES:
        raise MalformedError(f"metadata have more than {MAX_METADATA_BYTES} bytes")
    if copies * len(metadata) > _MAX_COPIES_BYTES:
        raise MalformedError(f"metadata of all digests have more than {_MAX_COPIES_BYTES} bytes")
    return metadata


def read_key(text: str | None, *, caller: str) -> bytes:
    """Return what stands for an ``Idempotency-Key`` of ``caller``; empty where there is none.

    Two callers who choose the same one do not meet.
    """
    if text is None:
        return b""
    if not 0 < len(text) <= _MAX_KEY_LENGTH or not text.isascii() or not text.isprintable():
        raise MalformedError(f"Idempotency-Key is not 1 to {_MAX_KEY_LENGTH} printable characters")
    return sha256(prefixed(b"adyton/idempotency/v1", caller.encode(), text.encode()))


def _digest(item: Value) -> bytes:
    if not isinstance(item, dict) or item.keys() != _DIGEST_MEMBERS:
        raise MalformedError("a digest is not an object with digestB64 and hashAlg")
    text = item["digestB64"]
    if item["hashAlg"] != "sha256":
        raise MalformedError('hashAlg is not "sha256"')
    if not isinstance(text, str) or len(text) != _DIGEST_TEXT:
        raise MalformedError(f"digestB64 is not base64 of {_DIGEST_SIZE} bytes")
    digest = from_base64(text, "digestB64", limit_bytes=_DIGEST_SIZE)
    if len(digest) != _DIGEST_SIZE:
        raise MalformedError(f"digestB64 is not base64 of {_DIGEST_SIZE} bytes")
    return digest


def _check_depth(value: Value, left: int) -> None:
    if isinstance(value, dict | list):
        if not left:
            raise MalformedError(f"metadata are nested deeper than {_MAX_METADATA_DEPTH}")
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, left - 1)
