"""Files in which people have evidence of NVIDIA's devices: JSON around reports and certificates.

Follows what NVIDIA's tools write (attestation-sdk, "serialized evidence") and send to its service
(NRAS, ``evidence_list``). Nobody signs the file: the nonce that it names is compared with the
report's, and what else it says is not looked at.
"""

from dataclasses import dataclass
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_base64,
    as_list,
    as_object,
    as_string,
    canonical,
    loads,
)
from adyton.codec.pem import MAX_CERTIFICATE_BYTES, read_chain
from adyton.errors import MalformedError
from adyton.evidence.nvidia.device import CHAIN_LENGTH
from adyton.evidence.nvidia.layout import MAX_TRANSCRIPT_BYTES, REPORT_BEGIN, Transcript

__all__ = ["MAX_DEVICES", "SerializedEvidence", "one_device", "read_evidence", "split_devices"]

MAX_FILE_BYTES: Final = 1024 * 1024
# Eight GPUs and four switches are in one machine; a rack has more.
MAX_DEVICES: Final = 64
# A certificate in base64, with its lines and its frame.
_MAX_CHAIN_BYTES: Final = CHAIN_LENGTH * 2 * MAX_CERTIFICATE_BYTES
_NONCE_DIGITS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SerializedEvidence:
    """A report, and its certificates in DER, root first."""

    transcript: bytes
    chain: tuple[bytes, ...]


def read_evidence(data: bytes) -> tuple[SerializedEvidence, ...]:
    """Return the evidence of each device in a file, or raise ``MalformedError``.

    The file is a list of devices, or an object with one under ``evidences`` (what the tools write)
    or ``evidence_list`` (what the service takes), with the nonce of all. Or it is a report as the
    driver gives it, with its certificates in PEM behind it.
    """
    if data.startswith(REPORT_BEGIN):
        return (_joined(data),)
    items, shared = _items(data)
    return tuple(_device(item, shared) for item in items)


def split_devices(data: bytes) -> tuple[bytes, ...]:
    """Return a file for each device in the file ``data``, or raise ``MalformedError``.

    What each of them has is not looked at.
    """
    if data.startswith(REPORT_BEGIN):
        return (data,)
    items, shared = _items(data)
    nonce = {"nonce": shared["nonce"]} if "nonce" in shared else {}
    return tuple(canonical({**nonce, "evidences": [item]}) for item in items)


def one_device(data: bytes) -> SerializedEvidence:
    """Return the evidence of the one device in a file; ``MalformedError`` where there are more."""
    found = read_evidence(data)
    if len(found) != 1:
        raise MalformedError(
            f"the file has {len(found)} devices: a verdict is on one, so give one by one"
        )
    return found[0]


def _items(data: bytes) -> tuple[list[Json], JsonObject]:
    """Return the devices in a file, and what stands around them for all."""
    document = loads(data, limit_bytes=MAX_FILE_BYTES)
    shared: JsonObject = {}
    if isinstance(document, dict):
        shared = document
        name = "evidence_list" if "evidence_list" in document else "evidences"
        document = document.get(name)
    items = as_list(document, "the evidence", limit=MAX_DEVICES)
    if not items:
        raise MalformedError("the file has no evidence")
    return items, shared


def _device(item: Json, shared: JsonObject) -> SerializedEvidence:
    device = as_object(item, "a device")
    transcript = as_base64(device.get("evidence"), "evidence", limit_bytes=MAX_TRANSCRIPT_BYTES)
    pem = as_base64(device.get("certificate"), "certificate", limit_bytes=_MAX_CHAIN_BYTES)
    _check_nonce(device.get("nonce", shared.get("nonce")), transcript)
    return SerializedEvidence(
        transcript=transcript,
        # The file has the signer's certificate first.
        chain=read_chain(pem, "certificate", size=CHAIN_LENGTH)[::-1],
    )


def _joined(data: bytes) -> SerializedEvidence:
    if len(data) > MAX_FILE_BYTES:
        raise MalformedError(f"the file has {len(data)} bytes, limit {MAX_FILE_BYTES}")
    transcript, begin, chain = data.partition(b"-----BEGIN CERTIFICATE-----")
    pem = read_chain(begin + chain, "the certificates", size=CHAIN_LENGTH)
    return SerializedEvidence(transcript=transcript, chain=pem[::-1])


def _check_nonce(nonce: Json, transcript: bytes) -> None:
    if nonce is None:
        return
    text = as_string(nonce, "nonce", limit=_NONCE_DIGITS).lower()
    if text != Transcript.from_bytes(transcript).nonce.hex():
        raise MalformedError("the file has another nonce than its report")
