"""A fake Gramine: the files of ``/dev/attestation``, with quotes of a fake Intel behind them."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.fakes.intel import FakeIntel, enclave_report

Quoting = Callable[[bytes], bytes]


class FakeGramine:
    """``folder`` has the files while the block runs; each read of ``quote`` makes one."""

    def __init__(self, folder: Path, vendor: FakeIntel, *, quoting: Quoting | None = None) -> None:
        self.folder, self._vendor = folder, vendor
        self._quoting = quoting or self.quote
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def quote(self, report_data: bytes) -> bytes:
        """What hardware makes: a quote over the report that holds ``report_data``."""
        return self._vendor.quote("sgx", version=3, body=enclave_report(report_data=report_data))

    def __enter__(self) -> Self:
        (self.folder / "attestation_type").write_text("dcap")
        (self.folder / "user_report_data").write_bytes(bytes(64))
        self._renew()
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        while self._thread.is_alive():
            # Whoever waits for a reader gets one.
            os.close(os.open(self.folder / "quote", os.O_RDONLY | os.O_NONBLOCK))
            self._thread.join(0.01)

    def _renew(self) -> None:
        # A pipe for each reader: one that reads slowly never gets the next one's quote.
        os.mkfifo(self.folder / "next")
        (self.folder / "next").replace(self.folder / "quote")

    def _serve(self) -> None:
        while not self._ended.is_set():
            with (self.folder / "quote").open("wb") as reader:
                self._renew()
                if not self._ended.is_set():
                    reader.write(self._quoting((self.folder / "user_report_data").read_bytes()))
