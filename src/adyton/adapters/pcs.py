"""Intel's collateral over HTTP: the Provisioning Certification Service, version 4.

Follows "Intel SGX and Intel TDX Provisioning Certification Service" (api.portal.
trustedservices.intel.com): four requests for a family of platforms, each answered with what was
signed and the certificates of its signer. A cache of Intel's (PCCS) answers the same ones.

What comes back is as good as its signatures, which ``adapters.collateral`` looks at before it keeps
anything: whoever stands in between can withhold it and nothing else.
"""

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

import httpx

from adyton.adapters.vendors import VendorService
from adyton.errors import MalformedError
from adyton.evidence.dcap.authenticate import DcapClaims
from adyton.evidence.dcap.collateral import IntelCollateral, chain
from adyton.evidence.dcap.layout import TeeType

__all__ = [
    "INTEL_CERTIFICATES",
    "INTEL_SERVICE",
    "CollateralService",
    "Family",
    "PckAuthority",
]

INTEL_SERVICE: Final = "https://api.trustedservices.intel.com"
INTEL_CERTIFICATES: Final = "https://certificates.trustedservices.intel.com"

_ROOT_CRL: Final = "/IntelSGXRootCA.der"
# The text that was signed is what stands between these: parsed and written again, it would differ.
_SIGNED: Final = {
    name: re.compile(
        rb'\{"' + name + rb'":(\{.*\}),"signature":"([0-9A-Fa-f]{128})"\}\s*', re.DOTALL
    )
    for name in (b"tcbInfo", b"enclaveIdentity")
}


class PckAuthority(StrEnum):
    """Which authority issues a platform's certificate, as the service calls it."""

    PLATFORM = "platform"
    PROCESSOR = "processor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Platforms that share their collateral.

    ``evaluation_number`` asks for the TCB information of one TCB recovery; ``None`` is the newest
    that Intel enforces by default.
    """

    tee_type: TeeType
    fmspc: bytes
    authority: PckAuthority
    evaluation_number: int | None = None

    @classmethod
    def of(
        cls, claims: DcapClaims, tee_type: TeeType, *, evaluation_number: int | None = None
    ) -> "Family":
        """Return the family of the platform that an authentic quote comes from."""
        is_platform = "Platform" in claims.pck_authority
        return cls(
            tee_type=tee_type,
            fmspc=claims.pck.fmspc,
            authority=PckAuthority.PLATFORM if is_platform else PckAuthority.PROCESSOR,
            evaluation_number=evaluation_number,
        )


class CollateralService:
    """The service, or a cache of it. The client is the caller's, who also closes it."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        service: str = INTEL_SERVICE,
        certificates: str = INTEL_CERTIFICATES,
    ) -> None:
        self._vendor = VendorService(client)
        self._service = service
        self._certificates = certificates

    async def fetch(self, family: Family) -> IntelCollateral:
        """Return the collateral of a family of platforms, not yet authenticated.

        Raises ``CollateralUnavailableError`` where the service does not answer with it, and
        ``MalformedError`` where it answers with something else.
        """
        tee = "tdx" if family.tee_type is TeeType.TDX else "sgx"
        number = family.evaluation_number
        chosen = {} if number is None else {"tcbEvaluationDataNumber": str(number)}
        info, identity, pck_crl, root_crl = await _together(
            self._vendor.get(
                f"{self._service}/{tee}/certification/v4/tcb",
                "tcb info",
                {"fmspc": family.fmspc.hex(), **chosen},
            ),
            self._vendor.get(
                f"{self._service}/{tee}/certification/v4/qe/identity", "the qe identity", chosen
            ),
            self._vendor.get(
                f"{self._service}/sgx/certification/v4/pckcrl",
                "the pck crl",
                {"ca": family.authority.value, "encoding": "der"},
            ),
            self._vendor.get(f"{self._certificates}{_ROOT_CRL}", "the root's crl", {}),
        )
        tcb_info, tcb_info_signature = _signed(info, b"tcbInfo")
        qe_identity, qe_identity_signature = _signed(identity, b"enclaveIdentity")
        return IntelCollateral(
            pck_crl_issuer_chain=_chain(pck_crl, "SGX-PCK-CRL-Issuer-Chain"),
            root_ca_crl=root_crl.content,
            pck_crl=pck_crl.content,
            tcb_info_issuer_chain=_chain(info, "TCB-Info-Issuer-Chain"),
            tcb_info=tcb_info,
            tcb_info_signature=tcb_info_signature,
            qe_identity_issuer_chain=_chain(identity, "SGX-Enclave-Identity-Issuer-Chain"),
            qe_identity=qe_identity,
            qe_identity_signature=qe_identity_signature,
        )


async def _together(*requests: Coroutine[None, None, httpx.Response]) -> list[httpx.Response]:
    """Return all answers, or raise the first failure, with no request left on its way."""
    tasks = [asyncio.ensure_future(request) for request in requests]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _signed(response: httpx.Response, name: bytes) -> tuple[bytes, bytes]:
    match = _SIGNED[name].fullmatch(response.content)
    if match is None:
        raise MalformedError(f"the service's {name.decode()} is not a text with its signature")
    return match[1], bytes.fromhex(match[2].decode())


def _chain(response: httpx.Response, header: str) -> tuple[bytes, ...]:
    if header not in response.headers:
        raise MalformedError(f"the service's answer lacks the header {header}")
    return chain(unquote(response.headers[header]), header)
