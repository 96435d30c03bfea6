"""Collateral for a piece of evidence: asked of its vendor, authenticated, kept in a folder.

Always optional: a verifier is given collateral and never fetches any. What is kept was signed by
the vendor; it is authenticated again at every use, so that whoever can write to the folder can
withhold it and nothing else.
"""

import hashlib
import io
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from adyton.adapters.installation import private_folder
from adyton.adapters.kds import AMD_SERVICE, KeyDistributionService
from adyton.adapters.nvidia import NVIDIA_RESPONDER, NVIDIA_RIMS, NvidiaService
from adyton.adapters.pcs import INTEL_CERTIFICATES, INTEL_SERVICE, CollateralService, Family
from adyton.adapters.vendors import CollateralUnavailableError, VendorService
from adyton.codec.json import Json, JsonObject, as_object, canonical, loads
from adyton.codec.pem import read_chain
from adyton.crypto.hashing import sha256
from adyton.crypto.path import RootRejectedError, verify_path
from adyton.crypto.suites import PS384_AMD
from adyton.errors import MalformedError
from adyton.evidence.azure.bundle import SnpBundle, TdxBundle
from adyton.evidence.azure.hcl import HclReport
from adyton.evidence.collateral import MAX_COLLATERAL_BYTES, NO_COLLATERAL, Collateral
from adyton.evidence.dcap.authenticate import authenticate_quote, claims_of
from adyton.evidence.dcap.endorsements import authenticate_collateral
from adyton.evidence.dcap.layout import without_padding
from adyton.evidence.formats import Format, detect
from adyton.evidence.nvidia.roots import report_roots, rim_roots
from adyton.evidence.nvidia.serialized import one_device
from adyton.evidence.roots import VENDOR_ROOTS
from adyton.evidence.sev_snp.layout import REPORT_SIZE, Report
from adyton.model.claims import VendorRoot

__all__ = ["AWS_ROOT", "CollateralFolder", "Fetcher", "Services"]

AWS_ROOT: Final = "https://aws-nitro-enclaves.amazonaws.com/AWS_NitroEnclaves_Root-G1.zip"
_MAX_ROOT_BYTES: Final = 16 * 1024
_KEEP: Final = timedelta(hours=12)
_PAUSE: Final = timedelta(minutes=1)
_SUFFIX: Final = ".json"
# What the library raises for an archive that is damaged, encrypted, or of a kind it cannot read.
_DAMAGED: Final = (zipfile.BadZipFile, EOFError, RuntimeError, ValueError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Where the vendors answer, or caches of theirs."""

    intel: str = INTEL_SERVICE
    intel_certificates: str = INTEL_CERTIFICATES
    amd: str = AMD_SERVICE
    nvidia_rims: str = NVIDIA_RIMS
    nvidia_responder: str = NVIDIA_RESPONDER
    aws_root: str = AWS_ROOT


class Fetcher:
    """Asks vendors. The client is the caller's, who also closes it.

    Without ``needs_vek``, what AMD publishes is had without a chip's certificate, too.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        services: Services | None = None,
        roots: Mapping[str, bytes] = VENDOR_ROOTS,
        needs_vek: bool = True,
    ) -> None:
        self._client, self._roots, self._needs_vek = client, roots, needs_vek
        self._services = services or Services()

    async def fetch(
        self, evidence: bytes, *, at: datetime, evaluation_number: int | None = None
    ) -> Collateral:
        """Return the collateral for ``evidence``, once its vendor's signatures were verified.

        ``evaluation_number`` asks Intel for one evaluation; ``None`` is the newest. Raises as the
        evidence's ``authenticate`` does, and ``CollateralUnavailableError``.
        """
        match detect(evidence):
            case Format.NITRO:
                await self._aws()
                return NO_COLLATERAL
            case Format.SGX_QUOTE | Format.TDX_QUOTE:
                return await self._intel(evidence, at, evaluation_number)
            case Format.AZURE_TDX:
                quote = without_padding(TdxBundle.from_bytes(evidence).td_quote)
                return await self._intel(quote, at, evaluation_number)
            case Format.SNP_REPORT | Format.SNP_EXTENDED_REPORT:
                return await self._amd(evidence[:REPORT_SIZE], at)
            case Format.AZURE_SEV_SNP:
                vtpm = SnpBundle.from_bytes(evidence).vtpm
                return await self._amd(HclReport.from_bytes(vtpm.hcl_report).hardware_report, at)
            case Format.NVIDIA_DEVICE:
                return await self._nvidia(evidence, at)
            case Format.TOKEN:
                # Where an issuer has its keys is for whoever trusts it to say, and not for a token.
                raise CollateralUnavailableError(what="the issuer's keys", reason="nobody is asked")

    async def _intel(self, quote: bytes, at: datetime, number: int | None) -> Collateral:
        authentic = authenticate_quote(quote, roots=self._roots, at=at)
        claims = claims_of(authentic, module=None, collateral=None, roots=self._roots, at=at)
        family = Family.of(claims, authentic.quote.tee_type, evaluation_number=number)
        service = CollateralService(
            self._client,
            service=self._services.intel,
            certificates=self._services.intel_certificates,
        )
        found = await service.fetch(family)
        authenticate_collateral(found, roots=self._roots)
        return Collateral(intel=found)

    async def _amd(self, report: bytes, at: datetime) -> Collateral:
        service = KeyDistributionService(self._client, service=self._services.amd)
        found = await service.fetch(Report.from_bytes(report), needs_vek=self._needs_vek)
        below = () if found.vek is None else (found.vek,)
        chain = (found.ark, found.authority, *below)
        path = verify_path(
            chain, roots=self._roots, suite=PS384_AMD, to_authority=found.vek is None
        )
        path.check_valid(at)
        return Collateral(amd=found)

    async def _nvidia(self, evidence: bytes, at: datetime) -> Collateral:
        service = NvidiaService(
            self._client,
            rims=self._services.nvidia_rims,
            responder=self._services.nvidia_responder,
            roots=report_roots(self._roots),
            rim_roots=rim_roots(self._roots),
        )
        return Collateral(nvidia=await service.fetch(one_device(evidence), at=at))

    async def _aws(self) -> None:
        """Raise unless AWS publishes the root that is pinned: documents bring all else."""
        answer = await VendorService(self._client).get(self._services.aws_root, "the root of aws")
        root = _from_archive(answer.content)
        if sha256(root) != self._roots[VendorRoot.AWS_NITRO]:
            raise RootRejectedError(found=sha256(root))


def _from_archive(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [item for item in archive.infolist() if item.filename.endswith(".pem")]
            # A size that the archive states is the one that its reader holds it to.
            if len(found) != 1 or found[0].file_size > _MAX_ROOT_BYTES:
                raise MalformedError("aws's archive has not one small certificate")
            # Others have errors of their own, and AWS does not use them.
            if found[0].compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise MalformedError("aws's archive is not stored or deflated")
            text = archive.read(found[0])
    except _DAMAGED as error:
        raise MalformedError("aws's archive of its root cannot be read") from error
    (root,) = read_chain(text.replace(b"\r\n", b"\n"), "aws's root", size=1)
    return root


class CollateralFolder:
    """Collateral in a folder, each for a while; and what was asked for in vain a moment ago.

    ``keep`` is after how long a vendor is asked again, and ``pause`` after how long once more
    after it gave nothing: services count their callers' requests.
    """

    def __init__(self, folder: Path, *, keep: timedelta = _KEEP, pause: timedelta = _PAUSE) -> None:
        self._folder, self._keep, self._pause = folder, keep, pause

    async def collateral(
        self,
        fetcher: Fetcher,
        evidence: bytes,
        *,
        now: datetime,
        evaluation_number: int | None = None,
    ) -> Collateral:
        """Return collateral for ``evidence``, from the folder or from its vendor."""
        path = self._path(evidence, evaluation_number)
        if (kept := self._read(path, now)) is not None:
            return kept
        failed = path.with_suffix(".failed")
        self._check_pause(failed, now)
        try:
            found = await fetcher.fetch(evidence, at=now, evaluation_number=evaluation_number)
        except CollateralUnavailableError as error:
            self._write(failed, {"at": now.isoformat(), "reason": error.reason})
            raise
        failed.unlink(missing_ok=True)
        self._write(path, {"at": now.isoformat(), "collateral": found.to_json()})
        return found

    def entries(self) -> tuple[Path, ...]:
        """Return the files of what is kept, oldest first."""
        files = (path for path in self._folder.glob(f"*{_SUFFIX}") if path.is_file())
        return tuple(sorted(files, key=lambda path: path.stat().st_mtime))

    def clear(self) -> int:
        """Remove all of it and return how many there were."""
        entries = self.entries()
        for path in (*entries, *self._folder.glob("*.failed")):
            path.unlink(missing_ok=True)
        return len(entries)

    def _path(self, evidence: bytes, evaluation_number: int | None) -> Path:
        # By the evidence itself: nobody's collateral is found under somebody else's.
        name = hashlib.sha256(evidence).hexdigest()[:32]
        number = "" if evaluation_number is None else f"-{evaluation_number}"
        return self._folder / f"{detect(evidence)}-{name}{number}{_SUFFIX}"

    def _read(self, path: Path, now: datetime) -> Collateral | None:
        record = _record(path)
        if record is None or not _is_within(record.get("at"), self._keep, now):
            return None
        # What cannot be read is asked for again.
        with suppress(MalformedError):
            return Collateral.from_json(record["collateral"])
        return None

    def _check_pause(self, failed: Path, now: datetime) -> None:
        record = _record(failed)
        if record is not None and _is_within(record.get("at"), self._pause, now):
            raise CollateralUnavailableError(
                what="the collateral",
                reason=f"it was asked for in vain a moment ago: {record.get('reason')}",
            )

    def _write(self, path: Path, record: JsonObject) -> None:
        if private_folder(self._folder) is None:
            raise CollateralUnavailableError(
                what="a place to keep collateral", reason=f"{self._folder} cannot be made"
            )
        # Whole or not at all: two may fetch the same at once.
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(canonical(record))
        Path(name).replace(path)


def _record(path: Path) -> JsonObject | None:
    try:
        data = path.read_bytes()
        return as_object(loads(data, limit_bytes=2 * MAX_COLLATERAL_BYTES), "what is kept")
    except (OSError, MalformedError):
        return None


def _is_within(value: Json, limit: timedelta, now: datetime) -> bool:
    if not isinstance(value, str):
        return False
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return False
    return at.tzinfo is not None and timedelta(0) <= now - at < limit
