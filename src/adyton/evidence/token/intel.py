"""The claims of Intel Trust Authority's tokens of version 1: "EAT Profile" (Intel), version 1.0.

Version 2 nests them in another way, and is refused as a version that is not known.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adyton.crypto.hashing import sha256, sha512
from adyton.errors import MalformedError
from adyton.evidence.token.members import Members
from adyton.evidence.token.reported import DEBUG_DISABLED, Reported, Tee
from adyton.evidence.token.tdx import read_measurements, read_report_data
from adyton.model.verdict import Finding, finding

__all__ = ["read"]

_VERSION: Final = re.compile(r"1\.[0-9]{1,3}\.[0-9]{1,3}")
_TYPES: Final[Mapping[str, Tee]] = MappingProxyType({"SGX": Tee.SGX, "TDX": Tee.TDX})
_REPORT_DATA: Final = 64


def read(claims: Members) -> Reported:
    """Return what Intel says of an enclave or a trust domain, or raise ``MalformedError``.

    ``debug`` is off where both ``dbgstat`` and the claim of the technology say so.
    """
    version = claims.text("ver")
    if _VERSION.fullmatch(version) is None:
        raise MalformedError(f"claims.ver is {version!r}, not 1.x.x")
    kind = claims.text("attester_type")
    if kind not in _TYPES:
        raise MalformedError(f"claims.attester_type is {kind!r}, not SGX or TDX")
    tee = _TYPES[kind]
    report_data = (
        claims.hexadecimal("sgx_report_data", size=_REPORT_DATA)
        if tee is Tee.SGX
        else read_report_data(claims)
    )
    nonce, held_data = claims.inner("verifier_nonce"), claims.base64_or_none("attester_held_data")
    value, issued = nonce.base64_or_none("val"), nonce.base64_or_none("iat")
    is_debuggable = claims.flag(f"{tee.value}_is_debuggable")
    return Reported(
        tee=tee,
        # The token names no machine.
        instance="",
        debug=is_debuggable or claims.text("dbgstat") not in DEBUG_DISABLED,
        measurements=_enclave(claims) if tee is Tee.SGX else read_measurements(claims),
        svns=claims.integers(
            {"isv_prod_id": "sgx_isvprodid", "isv_svn": "sgx_isvsvn", "seam_svn": "tdx_seamsvn"}
        ),
        facts=claims.facts({"eat_profile": "eat_profile"}),
        tcb_status=claims.text("attester_tcb_status"),
        tcb_date=claims.instant_or_none("attester_tcb_date"),
        advisories=claims.texts("attester_advisory_ids"),
        nonces=() if value is None else (value,),
        report_data=report_data,
        held_data=held_data,
        doubts=_unbound(tee, report_data, (value or b"") + (issued or b"") + (held_data or b"")),
    )


def _enclave(claims: Members) -> dict[str, bytes]:
    return {
        "mr_enclave": claims.hexadecimal("sgx_mrenclave", size=32),
        "mr_signer": claims.hexadecimal("sgx_mrsigner", size=32),
    }


def _unbound(tee: Tee, report_data: bytes, behind: bytes) -> tuple[Finding, ...]:
    """Say so where the report data is not the digest of the nonce and the held data.

    That much of what the service says can be computed again: an enclave has SHA-256 in the report
    data, a trust domain SHA-512.
    """
    digest = sha256(behind) if tee is Tee.SGX else sha512(behind)
    if not behind or report_data == digest.ljust(_REPORT_DATA, b"\0"):
        return ()
    text = "the report data is not over the nonce and the held data in the token"
    return (finding("held-data-unbound", text),)
