"""What two services write of a trust domain, by the same names: Azure follows Intel's profile.

"EAT profile for Intel TDX attestation result" (draft-kdyxy-rats-tdx-eat-profile), section 3.3.
"""

from typing import Final

from adyton.evidence.token.members import Members

__all__ = ["read_measurements", "read_report_data"]

_SHA384: Final = 48
_REPORT_DATA: Final = 64
_REGISTERS: Final = {
    "mr_td": "tdx_mrtd",
    **{f"rtmr{index}": f"tdx_rtmr{index}" for index in range(4)},
    "mr_config_id": "tdx_mrconfigid",
    "mr_owner": "tdx_mrowner",
    "mr_owner_config": "tdx_mrownerconfig",
    "mr_seam": "tdx_mrseam",
    "mr_signer_seam": "tdx_mrsignerseam",
}


def read_measurements(claims: Members) -> dict[str, bytes]:
    """Return the registers, by the names of the hardware's evidence; MRTD has to be there."""
    found = claims.hexadecimals({ours: (name, _SHA384) for ours, name in _REGISTERS.items()})
    return {**found, "mr_td": claims.hexadecimal("tdx_mrtd", size=_SHA384)}


def read_report_data(claims: Members) -> bytes:
    """Return what the quote was over."""
    return claims.hexadecimal("tdx_report_data", size=_REPORT_DATA)
