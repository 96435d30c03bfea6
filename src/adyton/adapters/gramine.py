"""SGX through Gramine: quotes from the files under ``/dev/attestation``.

Follows Gramine's "Attestation and Secret Provisioning", "Low-level /dev/attestation interface":
what is written to ``user_report_data`` (64 bytes) is in the report that the next read of ``quote``
is over. These files exist inside of an enclave only, which is where the worker runs: nothing
outside can ask for a quote, so that nobody has somebody else's data quoted.

Tested against files that speak the same protocol. It has not been tried on hardware.
"""

import asyncio
from pathlib import Path
from typing import Final

from adyton.errors import MalformedError, RejectedError, UnavailableError
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.layout import MAX_QUOTE_BYTES, Quote, without_padding

__all__ = ["FOLDER", "GraminePlatform", "GramineUnavailableError"]

FOLDER: Final = Path("/dev/attestation")

_REPORT_DATA_SIZE: Final = 64
_DCAP: Final = "dcap"


class GramineUnavailableError(UnavailableError):
    """Gramine gives no quote."""

    code = "gramine-unavailable"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"gramine {reason}")
        self.reason = reason


class GraminePlatform:
    """The enclave that this process runs in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()

    @classmethod
    def open(cls, folder: Path = FOLDER) -> "GraminePlatform":
        """Return the platform behind ``folder``; raise ``GramineUnavailableError`` if it is none.

        Gramine's manifest must have ``sgx.remote_attestation = "dcap"``.
        """
        try:
            kind = (folder / "attestation_type").read_text().strip()
        except OSError as error:
            raise GramineUnavailableError(reason=f"has no files in {folder}") from error
        if kind != _DCAP:
            raise GramineUnavailableError(reason=f"attests with {kind[:32]!r}, not with dcap")
        return cls(folder)

    async def evidence(
        self,
        report_data: bytes,
        challenge: bytes | None,  # noqa: ARG002  # a quote has one field: it is in there already
        public_key: bytes,  # noqa: ARG002  # the same
    ) -> bytes:
        """Return a quote over ``report_data``, up to 64 bytes, which end in zeros if they are less.

        What comes back is held against what was asked. Its signature is not checked here: whoever
        the evidence is for does that.
        """
        if len(report_data) > _REPORT_DATA_SIZE:
            raise ValueError(f"report data has {len(report_data)} bytes, a quote takes 64")
        asked = report_data.ljust(_REPORT_DATA_SIZE, b"\0")
        # Two files make one exchange: another one in between would get the wrong report.
        async with self._lock:
            quote = await asyncio.to_thread(self._exchange, asked)
        if _report_data(quote) != asked:
            raise GramineUnavailableError(reason="gave a quote over something else than was asked")
        return quote

    def _exchange(self, report_data: bytes) -> bytes:
        try:
            (self._folder / "user_report_data").write_bytes(report_data)
            with (self._folder / "quote").open("rb") as file:
                quote = file.read(MAX_QUOTE_BYTES + 1)
        except OSError as error:
            raise GramineUnavailableError(reason="did not make a quote") from error
        # The file is as long as quotes may get.
        return without_padding(quote)


def _report_data(quote: bytes) -> bytes:
    try:
        return EnclaveReport.from_bytes(Quote.from_bytes(quote).body).report_data
    except (MalformedError, RejectedError) as error:
        raise GramineUnavailableError(reason="gave a quote that cannot be read") from error
