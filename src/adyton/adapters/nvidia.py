"""NVIDIA's golden values and answers about revocation over HTTP: its RIM service and its responder.

Follows NVIDIA's "RIM Service" (docs.api.nvidia.com, attestation) and RFC 6960, appendix A. Which
golden values there are to ask for follows from the device's report; whose certificates, from the
report's and from those of the golden values.

What comes back is authenticated with the report, all together, before it is handed out: whoever
stands in between can withhold it and nothing else.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import httpx

from adyton.adapters.vendors import VendorService
from adyton.codec.json import as_object, as_string, loads
from adyton.codec.text import from_base64
from adyton.crypto.ocsp import ocsp_request
from adyton.crypto.path import Path, verify_path
from adyton.crypto.suites import ES384
from adyton.errors import MalformedError
from adyton.evidence.nvidia.authenticate import NvidiaClaims, authenticate
from adyton.evidence.nvidia.collateral import MAX_RIM_BYTES, NvidiaCollateral
from adyton.evidence.nvidia.revocation import links_of
from adyton.evidence.nvidia.rim import authenticate_rim
from adyton.evidence.nvidia.roots import NVIDIA_RIM_ROOTS, NVIDIA_ROOTS
from adyton.evidence.nvidia.serialized import SerializedEvidence

__all__ = ["NVIDIA_RESPONDER", "NVIDIA_RIMS", "NvidiaService"]

NVIDIA_RIMS: Final = "https://rim.attestation.nvidia.com"
NVIDIA_RESPONDER: Final = "https://ocsp.ndis.nvidia.com"

_MAX_BODY_BYTES: Final = 2 * MAX_RIM_BYTES
# The parts of an identifier come from a report: they are a name, and no other path or query.
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_REQUEST_TYPE: Final = "application/ocsp-request"


class NvidiaService:
    """The services, or caches of theirs. The client is the caller's, who also closes it."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        rims: str = NVIDIA_RIMS,
        responder: str = NVIDIA_RESPONDER,
        roots: Mapping[str, bytes] = NVIDIA_ROOTS,
        rim_roots: Mapping[str, bytes] = NVIDIA_RIM_ROOTS,
    ) -> None:
        self._vendor = VendorService(client, limit_bytes=_MAX_BODY_BYTES)
        self._rims, self._responder = rims, responder
        self._roots, self._rim_roots = roots, rim_roots

    async def fetch(self, device: SerializedEvidence, *, at: datetime) -> NvidiaCollateral:
        """Return what belongs to a device's report, all of it authentic and valid at ``at``.

        1. The report is authentic: the services are asked about no others.
        2. Golden values are asked for by the identifiers that follow from it.
        3. The responder is asked about each certificate that can be taken back, once.
        4. All of it is authentic together.

        Raises as ``authenticate`` does, and ``CollateralUnavailableError`` where a service does not
        answer: so does the one for golden values where NVIDIA publishes none for these versions.
        """
        # Step 1
        claims = self._authenticate(device, NvidiaCollateral(), at)
        # Step 2
        driver_id = claims.driver_rim_id
        driver = None if driver_id is None else await self.rim(driver_id)
        vbios = await self.rim(claims.vbios_rim_id)
        # Step 3
        chain = verify_path(device.chain, roots=self._roots, suite=ES384)
        paths: dict[str, tuple[Path, bool]] = {"device": (chain, False)}
        for name, rim in (("driver", driver), ("vbios", vbios)):
            if rim is not None:
                found = authenticate_rim(rim, roots=self._rim_roots, at=at)
                paths[name] = (found.path, True)
        requests = {ocsp_request(link.certificate, link.issuer): link for link in links_of(paths)}
        answers = [
            await self._answer(request, f"an answer about {link.name}")
            for request, link in requests.items()
        ]
        # Step 4
        collateral = NvidiaCollateral(driver_rim=driver, vbios_rim=vbios, ocsp=tuple(answers))
        self._authenticate(device, collateral, at)
        return collateral

    async def rim(self, identifier: str) -> bytes:
        """Return golden values by their identifier, not yet authenticated."""
        if _IDENTIFIER.fullmatch(identifier) is None:
            raise MalformedError("the report names golden values by no identifier of nvidia's")
        what = f"the rim {identifier}"
        response = await self._vendor.get(f"{self._rims}/v1/rim/{identifier}", what)
        record = as_object(loads(response.content, limit_bytes=_MAX_BODY_BYTES), what)
        if record.get("id") != identifier:
            raise MalformedError(f"{what}: the service answers with another")
        text = as_string(record.get("rim"), what, limit=_MAX_BODY_BYTES)
        return from_base64(text, what, limit_bytes=MAX_RIM_BYTES)

    async def _answer(self, request: bytes, what: str) -> bytes:
        response = await self._vendor.post(
            self._responder, what, content=request, media_type=_REQUEST_TYPE
        )
        return response.content

    def _authenticate(
        self, device: SerializedEvidence, collateral: NvidiaCollateral, at: datetime
    ) -> NvidiaClaims:
        return authenticate(
            device,
            collateral=collateral,
            roots=self._roots,
            rim_roots=self._rim_roots,
            at=at,
        )
