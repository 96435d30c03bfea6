"""What evidence is over: the manifest of the worker, and the challenge of whoever asks."""

from typing import Final

from adyton.crypto.hashing import prefixed, sha512

__all__ = ["MAX_CHALLENGE_BYTES", "report_data"]

# AWS's limit for a nonce is 512 bytes; 64 are enough for any random challenge.
MAX_CHALLENGE_BYTES: Final = 64
_DOMAIN: Final = b"adyton/evidence/v1"


def report_data(manifest: bytes, challenge: bytes) -> bytes:
    """Return the 64 bytes that evidence must hold for this manifest (canonical) and challenge.

    ``SHA-512("adyton/evidence/v1" ‖ u64le(len) ‖ manifest ‖ u64le(len) ‖ challenge)``.
    """
    return sha512(_DOMAIN + prefixed(manifest, challenge))
