"""Tokens' claims in the form that all technologies share: with the service for a vendor.

Who vouches is the service, and never the hardware that it says it has seen: what a policy accepts
of ``sev-snp`` is not accepted of a token about it.
"""

from types import MappingProxyType
from typing import Final

from adyton.codec.json import Json
from adyton.evidence.token.authenticate import TokenClaims
from adyton.evidence.token.reported import Reported
from adyton.model.claims import Claims, Platform, Tcb, Technology
from adyton.model.verdict import shown

__all__ = ["claims_of"]

# What one of the services writes for a word of Intel's that the others use.
_STATUSES: Final = MappingProxyType({"OUT_OF_DATE": "OutOfDate", "UP_TO_DATE": "UpToDate"})


def claims_of(claims: TokenClaims) -> Claims:
    """Return what an authentic token says.

    ``instance``, ``measurements`` and the rest are as the service reports them. One nonce is the
    nonce, and of several none: they are all in ``details``. Whom the token is for is there, too.
    """
    reported = claims.reported
    technology = Technology(claims.service.value)
    return Claims(
        technology=technology,
        platform=Platform.of(technology, is_genuine=claims.is_genuine),
        root=claims.root,
        root_sha256=claims.root_sha256,
        instance=reported.instance,
        measurements=MappingProxyType({**reported.measurements}),
        numbers=MappingProxyType({**reported.svns}),
        configuration=reported.findings,
        tcb=_tcb(reported),
        report_data=reported.report_data,
        nonce=reported.nonces[0] if len(reported.nonces) == 1 else None,
        public_key=None,
        issued=claims.issued,
        first=claims.first,
        last=claims.last,
        windows=claims.windows,
        details=MappingProxyType(_details(claims)),
        signed_sha256=claims.signed_sha256,
    )


def _tcb(reported: Reported) -> Tcb | None:
    if reported.tcb_status is None:
        return None
    # Whether the service looked at revocation lists, it does not say.
    return Tcb(
        status=_STATUSES.get(reported.tcb_status, reported.tcb_status),
        advisories=reported.advisories,
        date=reported.tcb_date,
    )


def _details(claims: TokenClaims) -> dict[str, Json]:
    return {
        "issuer": claims.issuer,
        "key_id": claims.key_id,
        "audience": [*claims.audience],
        "reported": _reported(claims.reported),
        "devices": {name: _reported(device) for name, device in claims.devices.items()},
    }


def _reported(reported: Reported) -> dict[str, Json]:
    date, held = reported.tcb_date, reported.held_data
    return {
        "tee": reported.tee.value,
        "instance": reported.instance,
        "facts": {**reported.facts},
        "secure_boot": reported.secure_boot,
        "nonces": [nonce.hex() for nonce in reported.nonces],
        "held_data": None if held is None else held.hex(),
        "tcb_date": None if date is None else shown(date),
    }
