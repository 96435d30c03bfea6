"""Verdicts on hardware evidence, offline, from whatever form it is in."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.text import from_base64, from_hex
from adyton.evidence.collateral import MAX_COLLATERAL_BYTES, NO_COLLATERAL, Collateral
from adyton.model.claims import Claims
from adyton.model.verdict import Verdict
from adyton.sdk.files import Source, from_file
from adyton.sdk.verifying import read_policy
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.bundle import MAX_BUNDLE_BYTES, MAX_EVIDENCE_BYTES, Bundle
from adyton.verification.machine import Device, MachineVerdict, devices_of
from adyton.verification.machine import verify_machine as verify_machine_offline
from adyton.verification.pipeline import verify_evidence as verify_offline

__all__ = [
    "read_bundle",
    "read_collateral",
    "read_devices",
    "read_evidence",
    "verify_evidence",
    "verify_machine",
]

_HEXADECIMAL: Final = re.compile(rb"(0x)?([0-9a-fA-F]{2}\s*)+")
# The first bytes of every binary format are no base64, so that a text is taken for one only if all
# of it is.
_TOKEN: Final = re.compile(rb"\s*[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}\s*")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/\s]{16,}={0,2}\s*")


def verify_evidence(
    evidence: bytes | Path,
    *,
    policy: Policy | Source,
    collateral: Collateral | bytes | Path = NO_COLLATERAL,
    report_data: bytes | None = None,
    nonce: bytes | None = None,
    public_key: bytes | None = None,
    at: datetime | None = None,
    cache: EvidenceCache | None = None,
) -> tuple[Verdict, Claims | None]:
    """Return the verdict on ``evidence`` under ``policy``, and what it says if it is authentic.

    Nothing is fetched. ``evidence`` is any format that is read here, as bytes or a file (binary,
    hexadecimal or base64). ``report_data``, ``nonce`` and ``public_key`` are what it has to be
    over: a nonce or report data that you chose yourself shows that it is fresh. ``at`` is the
    instant to judge for, now where it is left out.

    Raises ``MalformedError`` for a policy or collateral that is none, and ``ValueError`` for an
    instant without a zone. Evidence that is malformed is refused by the verdict.
    """
    return verify_offline(
        read_evidence(evidence),
        policy=read_policy(policy),
        expected=expectation(report_data=report_data, nonce=nonce, public_key=public_key),
        at=_instant(at),
        collateral=read_collateral(collateral),
        cache=cache,
    )


def verify_machine(
    evidence: bytes | Path,
    *,
    devices: Sequence[bytes | Path],
    policy: Policy | Source,
    collateral: Collateral | bytes | Path = NO_COLLATERAL,
    device_collateral: Sequence[Collateral | bytes | Path] = (),
    report_data: bytes | None = None,
    nonce: bytes | None = None,
    public_key: bytes | None = None,
    at: datetime | None = None,
    cache: EvidenceCache | None = None,
) -> MachineVerdict:
    """Return the verdict on a processor's ``evidence`` and on that of ``devices`` bound to it.

    The arguments are those of ``verify_evidence``, and for the devices those of ``read_devices``.
    Raises as they do.
    """
    beside = read_collateral(collateral)
    return verify_machine_offline(
        read_evidence(evidence),
        devices=read_devices(devices, collateral=device_collateral or (beside,)),
        policy=read_policy(policy),
        expected=expectation(report_data=report_data, nonce=nonce, public_key=public_key),
        at=_instant(at),
        collateral=beside,
        cache=cache,
    )


def _instant(at: datetime | None) -> datetime:
    instant = at or datetime.now(UTC)
    if instant.tzinfo is None:
        raise ValueError("an instant to judge for has a zone")
    return instant


def expectation(
    *, report_data: bytes | None, nonce: bytes | None, public_key: bytes | None
) -> Expected:
    """Return what evidence has to be over. A nonce or report data is the verifier's challenge."""
    asked = nonce if nonce is not None else report_data
    return Expected(
        report_data=report_data,
        nonce=nonce,
        public_key=public_key,
        challenge=asked or b"",
        asked=asked,
    )


def read_evidence(source: bytes | Path) -> bytes:
    """Return the bytes of evidence that may be written as text.

    Raises ``MalformedError`` for a file that is too long, and ``FileUnreadableError``.
    """
    if isinstance(source, bytes):
        return plain_evidence(source)
    return from_file(source, plain_evidence, MAX_BUNDLE_BYTES)


def read_devices(
    files: Sequence[bytes | Path], *, collateral: Sequence[Collateral | bytes | Path]
) -> tuple[Device, ...]:
    """Return the devices in ``files``, as ``verification.machine.devices_of`` does.

    Raises as ``read_evidence`` does.
    """
    return devices_of(
        [read_evidence(file) for file in files],
        collateral=[read_collateral(source) for source in collateral],
    )


def plain_evidence(data: bytes) -> bytes:
    """Return ``data``, or what it is the text of: hexadecimal, base64, a token in a line."""
    if _HEXADECIMAL.fullmatch(data):
        text = "".join(data.decode().split()).removeprefix("0x").lower()
        return from_hex(text, "the evidence", size=len(text) // 2)
    if _BASE64.fullmatch(data):
        text = "".join(data.decode().split())
        return from_base64(text, "the evidence", limit_bytes=MAX_EVIDENCE_BYTES)
    # A token in a file commonly ends with a line end, which is no part of it.
    return data.strip() if _TOKEN.fullmatch(data) else data


def read_collateral(source: Collateral | bytes | Path) -> Collateral:
    """Return the collateral in ``source``, or raise as ``read_evidence`` does."""
    match source:
        case Collateral():
            return source
        case bytes():
            return Collateral.from_bytes(source)
        case _:
            return from_file(source, Collateral.from_bytes, MAX_COLLATERAL_BYTES)


def read_bundle(source: bytes | Path) -> Bundle:
    """Return the bundle in ``source``, or raise as ``read_evidence`` does."""
    if isinstance(source, bytes):
        return Bundle.from_bytes(source)
    return from_file(source, Bundle.from_bytes, MAX_BUNDLE_BYTES)
