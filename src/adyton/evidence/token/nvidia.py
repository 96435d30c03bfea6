"""The claims of NVIDIA's Remote Attestation Service, version 3 ("Attestation Claims", NVIDIA).

One token has the overall result, and one each is about a device. All checks that the service made
are claims of their own: each has to be true, also one that nobody here knows.
"""

import re
from typing import Final

from adyton.errors import MalformedError
from adyton.evidence.token.members import Members
from adyton.evidence.token.reported import DEBUG_DISABLED, Reported, Tee
from adyton.model.verdict import Finding, finding

__all__ = ["NONCE_SIZE", "read_device", "read_overall"]

NONCE_SIZE: Final = 32
_VERSION: Final = "3.0"
_PREFIX: Final = "x-nvidia-"
_DEVICE: Final = re.compile(r"(GPU|SWITCH)-[0-9]{1,3}")
# What the service cannot leave out: the device's own report is signed, by NVIDIA's certificate, and
# over the nonce.
_REQUIRED: Final = (
    "attestation-report-parsed",
    "attestation-report-signature-verified",
    "attestation-report-nonce-match",
)
_CERTIFICATES: Final = {"x-nvidia-cert-status": "valid", "x-nvidia-cert-ocsp-status": "good"}


def read_overall(claims: Members, devices: dict[str, Reported]) -> Reported:
    """Return what NVIDIA says of all ``devices`` together, or raise ``MalformedError``."""
    version = claims.text("x-nvidia-ver")
    if version != _VERSION:
        raise MalformedError(f"claims.x-nvidia-ver is {version[:64]!r}, not {_VERSION}")
    found = {device.tee for device in devices.values()}
    if len(found) != 1:
        raise MalformedError("the token is about no device, or about devices of both kinds")
    doubts = [doubt for device in devices.values() for doubt in device.doubts]
    if not claims.flag("x-nvidia-overall-att-result"):
        doubts.insert(0, _failed("the overall result"))
    return Reported(
        tee=found.pop(),
        instance=",".join(device.instance for device in devices.values()),
        debug=any(device.debug for device in devices.values()),
        secure_boot=all(device.secure_boot is True for device in devices.values()),
        nonces=(claims.hexadecimal("eat_nonce", size=NONCE_SIZE),),
        doubts=tuple(doubts),
    )


def read_device(name: str, claims: Members) -> Reported:
    """Return what NVIDIA says of the device called ``name``, or raise ``MalformedError``."""
    if (match := _DEVICE.fullmatch(name)) is None:
        raise MalformedError(f"a device is called {name[:64]!r}, not GPU-n or SWITCH-n")
    tee = Tee.NVIDIA_GPU if match[1] == "GPU" else Tee.NVIDIA_SWITCH
    kind = f"{_PREFIX}{match[1].lower()}-"
    return Reported(
        tee=tee,
        instance=claims.text("ueid"),
        debug=claims.text("dbgstat") not in DEBUG_DISABLED,
        facts=claims.facts(
            {
                "hwmodel": "hwmodel",
                "driver_version": kind + "driver-version",
                "vbios_version": kind + "vbios-version",
                "bios_version": kind + "bios-version",
            }
        ),
        secure_boot=claims.flag("secboot"),
        nonces=(claims.hexadecimal("eat_nonce", size=NONCE_SIZE),),
        doubts=_doubts(name, kind, claims),
    )


def _doubts(name: str, kind: str, claims: Members) -> tuple[Finding, ...]:
    """Return what the service says against a device.

    1. A check that it cannot leave out is missing, or came out otherwise than well.
    2. Any other of its checks came out otherwise than well.
    3. A certificate is not valid, or may be revoked.
    4. The measurements are not the expected ones.
    5. There is a warning.
    """
    missing = [check for check in _REQUIRED if claims.flag_or_none(kind + check) is not True]
    found = [_failed(f"{name}: {check}") for check in missing]
    for member, value in claims.record.items():
        if not member.startswith(_PREFIX):
            continue
        check = member.removeprefix(kind)
        if value is False and check not in missing:
            found.append(_failed(f"{name}: {check[:64]}"))
        if isinstance(value, dict):
            inner = claims.inner(member)
            found += [
                _failed(f"{name}: {check[:64]}, {key.removeprefix(_PREFIX)}")
                for key, good in _CERTIFICATES.items()
                if inner.text_or_none(key) != good
            ]
    if claims.text("measres") != "success":
        found.append(_failed(f"{name}: measurements"))
    if claims.has("x-nvidia-attestation-warning"):
        text = f"the service warns about {name}"
        found.append(finding("service-warning", text))
    return tuple(found)


def _failed(check: str) -> Finding:
    return finding("service-check-failed", f"the service says that {check} failed")
