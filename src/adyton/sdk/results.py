"""A verdict as an EAT Attestation Result, signed with a key of the verifier's own."""

from importlib.metadata import version
from typing import Final

from adyton.appraisal.ear import Ear, VerifierId, issue_ear
from adyton.codec.json import canonical
from adyton.crypto.hashing import sha256
from adyton.crypto.jws import TokenSigner
from adyton.model.claims import Claims
from adyton.model.verdict import Verdict
from adyton.verification.bundle import Bundle

__all__ = ["attestation_result"]

_VERIFIER: Final = VerifierId(developer="adyton", build=f"adyton {version('adyton')}")
# What the draft takes for a nonce, in bytes.
_NONCE_SIZES: Final = range(8, 65)
_UNREAD: Final = "evidence"


def attestation_result(
    bundle: Bundle, verdict: Verdict, claims: Claims | None, *, signer: TokenSigner
) -> str:
    """Return the signed result for the evidence in ``bundle``, under the name of its technology.

    The policy is named by SHA-256 of its canonical JSON. The nonce is the one that was expected, if
    the draft's bounds have room for it.
    """
    nonce = bundle.expected.nonce
    ear = Ear.from_verdict(
        verdict,
        name=_UNREAD if claims is None else claims.technology.value,
        verifier=_VERIFIER,
        policy=f"sha256:{sha256(canonical(bundle.policy.to_json())).hex()}",
        nonce=nonce if nonce is not None and len(nonce) in _NONCE_SIZES else None,
    )
    return issue_ear(ear, signer=signer)
