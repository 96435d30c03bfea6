"""A fake Nitro Secure Module: speaks the driver's protocol in the driver's memory layout."""

import ctypes
import struct
from collections.abc import Callable
from typing import Any

import cbor2
from tests.fakes.nitro import FakeNitro

Answer = Callable[[dict[str, Any]], bytes]


class FakeModule:
    """Stands in for ``fcntl.ioctl`` on ``/dev/nsm``; ``answer`` may make something else of it."""

    def __init__(self, vendor: FakeNitro, *, answer: Answer | None = None) -> None:
        self.vendor = vendor
        self.calls: list[tuple[int, int]] = []
        self.claimed_size: int | None = None
        self._answer = answer or self.attestation

    def attestation(self, asked: dict[str, Any], **changes: Any) -> bytes:
        fields = self.vendor.fields(**{**asked, **changes})
        return cbor2.dumps({"Attestation": {"document": self.vendor.document(fields)}})

    def __call__(self, descriptor: int, operation: int, raw: bytearray) -> int:
        self.calls.append((descriptor, operation))
        sent, sent_size, received, room = struct.unpack("=QQQQ", raw)
        request = cbor2.loads(ctypes.string_at(sent, sent_size))
        response = self._answer(request["Attestation"])
        if len(response) > room:
            raise OSError(90, "message too long")
        ctypes.memmove(received, response, len(response))
        size = len(response) if self.claimed_size is None else self.claimed_size
        raw[:] = struct.pack("=QQQQ", sent, sent_size, received, size)
        return 0
