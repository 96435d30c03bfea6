"""A verdict as an EAT Attestation Result, signed with a key of the verifier's own.

Whoever believes a result trusts the verifier: its key is for nothing else. A service makes one at
the first use, in its folder, where only its own user can read it.
"""

import os
import secrets
import stat
from importlib.metadata import version
from pathlib import Path
from typing import Final

from adyton.appraisal.ear import Ear, VerifierId
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.json import canonical
from adyton.crypto.ecdsa import Es256Key
from adyton.crypto.hashing import sha256
from adyton.crypto.jws import TokenSigner
from adyton.errors import MalformedError, UnavailableError
from adyton.model.claims import Claims
from adyton.model.verdict import Verdict

__all__ = ["ResultKeyUnavailableError", "result_signer", "unsigned_result"]

_VERIFIER: Final = VerifierId(developer="adyton", build=f"adyton {version('adyton')}")
# What the draft takes for a nonce, in bytes.
_NONCE_SIZES: Final = range(8, 65)
_UNREAD: Final = "evidence"
_FILE: Final = "attestation-results-key.pem"
_MAX_KEY_BYTES: Final = 16 * 1024


class ResultKeyUnavailableError(UnavailableError):
    """The key that signs attestation results cannot be had."""

    code = "result-key-unavailable"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the key for attestation results {reason}")
        self.reason = reason


def result_signer(folder: Path) -> TokenSigner:
    """Return what signs attestation results, with the key in ``folder``; it is made if need be.

    Raises ``ResultKeyUnavailableError`` where that fails, where the file has no key, or where
    others than its owner can read it.
    """
    path = folder / _FILE
    try:
        if not path.exists():
            _make(path)
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            pem = file.read(_MAX_KEY_BYTES)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ResultKeyUnavailableError(reason=f"cannot be read or made: {reason}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ResultKeyUnavailableError(reason="can be read by others; chmod it to 600")
    try:
        return TokenSigner(Es256Key.from_pem(pem))
    except MalformedError as error:
        raise ResultKeyUnavailableError(reason=f"is damaged: {error}") from error


def _make(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(Es256Key().to_pem())
            file.flush()
            os.fsync(file.fileno())
        try:
            # Whole or not at all, and never in the place of one that another process has made.
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        temporary.unlink(missing_ok=True)


def unsigned_result(
    verdict: Verdict, claims: Claims | None, *, policy: Policy, expected: Expected
) -> Ear:
    """Return the result for evidence, under the name of its technology, for ``issue_ear``.

    The policy is named by SHA-256 of its canonical JSON. The nonce is the one that was expected, if
    the draft's bounds have room for it.
    """
    nonce = expected.nonce
    return Ear.from_verdict(
        verdict,
        name=_UNREAD if claims is None else claims.technology.value,
        verifier=_VERIFIER,
        policy=f"sha256:{sha256(canonical(policy.to_json())).hex()}",
        nonce=nonce if nonce is not None and len(nonce) in _NONCE_SIZES else None,
    )
