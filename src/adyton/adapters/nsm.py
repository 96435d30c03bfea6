"""The Nitro Secure Module: evidence from real hardware, inside an AWS Nitro Enclave.

One ioctl on ``/dev/nsm`` carries a CBOR request there and a CBOR response back. Its layout is from
the Linux driver (include/uapi/linux/nsm.h), the messages are those of aws-nitro-enclaves-nsm-api:
``{"Attestation": {...}}``, answered by the same name or by ``{"Error": text}``.

Tested against a stand-in for the driver that speaks the same protocol in the same memory layout. It
has not been tried on hardware.
"""

import asyncio
import ctypes
import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from adyton.codec.cbor import CborMap, as_bytes, as_map, dumps, loads
from adyton.errors import MalformedError, UnavailableError
from adyton.evidence.nitro.layout import MAX_DOCUMENT_BYTES, Document

__all__ = ["DEVICE", "NsmPlatform", "NsmUnavailableError"]

DEVICE: Final = Path("/dev/nsm")

# _IOWR(0x0A, 0, struct nsm_raw): read and write, 32 bytes, magic 0x0A, number 0.
_IOCTL: Final = 0xC0200A00
_MAX_REQUEST_BYTES: Final = 0x1000
_MAX_RESPONSE_BYTES: Final = 0x3000
# struct nsm_raw: address and length of the request, then of the response.
_RAW: Final = struct.Struct("=QQQQ")

Ioctl: TypeAlias = Callable[[int, int, bytearray], object]


class NsmUnavailableError(UnavailableError):
    """The Nitro Secure Module gives no evidence."""

    code = "nsm-unavailable"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the nitro secure module {reason}")
        self.reason = reason


class NsmPlatform:
    """An open Nitro Secure Module. ``close`` gives the device back."""

    def __init__(self, descriptor: int, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._descriptor = descriptor
        self._ioctl = ioctl
        self._lock = asyncio.Lock()

    @classmethod
    def open(cls, device: Path = DEVICE) -> "NsmPlatform":
        """Return the module behind ``device``; raise ``NsmUnavailableError`` if it is not there."""
        try:
            return cls(os.open(device, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            raise NsmUnavailableError(reason=f"cannot be opened at {device}") from error

    def close(self) -> None:
        """Close the device."""
        os.close(self._descriptor)

    async def evidence(
        self, report_data: bytes, challenge: bytes | None, public_key: bytes
    ) -> bytes:
        """Return an attestation document over ``report_data``, with ``challenge`` as its nonce.

        What comes back is held against what was asked. Its signature is not checked here: whoever
        the evidence is for does that.
        """
        asked: CborMap = {
            "user_data": report_data,
            "nonce": challenge,
            "public_key": public_key or None,
        }
        request = dumps({"Attestation": asked})
        # The driver takes one request at a time, and blocks; the event loop must not.
        async with self._lock:
            response = await asyncio.to_thread(self._exchange, request)
        document = _document(response)
        parsed = _parsed(document)
        found = {
            "user_data": parsed.user_data,
            "nonce": parsed.nonce,
            "public_key": parsed.public_key,
        }
        if found != asked:
            raise NsmUnavailableError(reason="gave a document over something else than was asked")
        return document

    def _exchange(self, request: bytes) -> bytes:
        if len(request) > _MAX_REQUEST_BYTES:
            raise ValueError(f"a request has {len(request)} bytes, more than the driver takes")
        sent = ctypes.create_string_buffer(request, len(request))
        received = ctypes.create_string_buffer(_MAX_RESPONSE_BYTES)
        raw = bytearray(
            _RAW.pack(
                ctypes.addressof(sent), len(request), ctypes.addressof(received), len(received)
            )
        )
        try:
            self._ioctl(self._descriptor, _IOCTL, raw)
        except OSError as error:
            raise NsmUnavailableError(reason="did not take the request") from error
        # The driver leaves the length of its answer in the same place.
        size = _RAW.unpack(raw)[3]
        if size > _MAX_RESPONSE_BYTES:
            raise NsmUnavailableError(reason="answered with more bytes than it was given room for")
        return received.raw[:size]


def _document(response: bytes) -> bytes:
    try:
        answer = as_map(loads(response, limit_bytes=_MAX_RESPONSE_BYTES, indefinite=True), "it")
        if isinstance(code := answer.get("Error"), str):
            raise NsmUnavailableError(reason=f"answered with the error {code[:64]!r}")
        fields = as_map(answer.get("Attestation"), "Attestation")
        return as_bytes(fields.get("document"), "document", low=1, high=MAX_DOCUMENT_BYTES)
    except MalformedError as error:
        raise NsmUnavailableError(reason="gave an answer that is not of its protocol") from error


def _parsed(document: bytes) -> Document:
    try:
        return Document.from_bytes(document)
    except MalformedError as error:
        raise NsmUnavailableError(reason="gave a document that cannot be read") from error
