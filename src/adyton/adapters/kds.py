"""AMD's certificates over HTTP: the Key Distribution Service.

Follows "VCEK Certificate and KDS Interface Specification" (AMD 57230), chapter 4: the chain of a
generation of processors, its revocation list, and a chip's certificate for given versions of its
firmware. The service answers for one chip about once in ten seconds: ask it once and keep what it
says, which does not change.
"""

from contextlib import suppress
from typing import Final

import httpx

from adyton.adapters.vendors import CollateralUnavailableError, VendorService
from adyton.codec.pem import read_chain
from adyton.evidence.sev_snp.collateral import AmdCollateral
from adyton.evidence.sev_snp.layout import Report, SigningKey
from adyton.evidence.sev_snp.product import Generation, TcbVersion

__all__ = ["AMD_SERVICE", "KeyDistributionService", "generations_of"]

AMD_SERVICE: Final = "https://kdsintf.amd.com"
_CHAIN_LENGTH: Final = 2


class KeyDistributionService:
    """The service, or a cache of it. The client is the caller's, who also closes it."""

    def __init__(self, client: httpx.AsyncClient, *, service: str = AMD_SERVICE) -> None:
        self._vendor = VendorService(client)
        self._service = service

    async def fetch(self, report: Report, *, needs_vek: bool = True) -> AmdCollateral:
        """Return what a report needs beside it, not yet authenticated.

        The certificate of an operator's key (VLEK) is not the service's to give: the host has it.
        Without ``needs_vek``, a chip's may be missing as well: a host can have it withheld, by
        masking the chip's name or by asking for it all the time, and with it would withhold the
        revocation list. Raises ``CollateralUnavailableError``, and ``MalformedError`` for an answer
        that is none.
        """
        *others, last = generations_of(report)
        for generation in others:
            with suppress(CollateralUnavailableError):
                return await self._fetch(report, generation, needs_vek=True)
        # Of which of several it is, nothing but the chip's certificate shows.
        return await self._fetch(report, last, needs_vek=needs_vek or bool(others))

    async def _fetch(
        self, report: Report, generation: Generation, *, needs_vek: bool
    ) -> AmdCollateral:
        kind = "vlek" if report.signing_key is SigningKey.VLEK else "vcek"
        base = f"{self._service}/{kind}/v1/{generation}"
        chain = await self._vendor.get(f"{base}/cert_chain", "the chain")
        authority, ark = read_chain(chain.content, "the chain", size=_CHAIN_LENGTH)
        crl = await self._vendor.get(f"{base}/crl", "the revocation list")
        vek = None
        if kind == "vcek":
            try:
                vek = (await self._vcek(base, report, generation)).content
            except CollateralUnavailableError:
                if needs_vek:
                    raise
        return AmdCollateral(ark=ark, authority=authority, vek=vek, crl=crl.content)

    async def _vcek(self, base: str, report: Report, generation: Generation) -> httpx.Response:
        if not any(report.chip_id):
            raise CollateralUnavailableError(
                what="the chip's certificate", reason="the host has masked the chip's name"
            )
        chip = report.chip_id[: generation.hwid_size].hex()
        tcb = TcbVersion.from_bytes(report.reported_tcb, generation)
        versions = {
            **({} if tcb.fmc is None else {"fmcSPL": tcb.fmc}),
            "blSPL": tcb.bl,
            "teeSPL": tcb.tee,
            "snpSPL": tcb.snp,
            "ucodeSPL": tcb.ucode,
        }
        parameters = {name: f"{svn:02d}" for name, svn in versions.items()}
        return await self._vendor.get(f"{base}/{chip}", "the chip's certificate", parameters)


def generations_of(report: Report) -> tuple[Generation, ...]:
    """Return the generations that the processor may be of: reports of version 2 do not say."""
    if report.processor is None:
        return (Generation.MILAN, Generation.GENOA)
    family, model, _ = report.processor
    return (Generation.of_processor(family, model),)
