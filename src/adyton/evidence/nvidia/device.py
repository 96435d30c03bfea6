"""Which device it is, by the names in its certificates.

Follows the chains that NVIDIA issues: a root, the authority of a family of chips, the authority of
a provisioning line, the chip's boot code, and the firmware that this started, for which it made a
key. Under the same root, NVIDIA may certify other devices: a path with other names is refused.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adyton.crypto.path import Path
from adyton.errors import RejectedError

__all__ = ["CHAIN_LENGTH", "Architecture", "Device", "DeviceRejectedError"]

CHAIN_LENGTH: Final = 5
_FAMILY: Final = re.compile(r"NVIDIA \w{4,8} Identity", re.ASCII)
_LINE: Final = re.compile(r"NVIDIA (\w{4,8}) Provisioner ICA \d{1,8}", re.ASCII)
_BOOT: Final = re.compile(r"(?P<part>(?P<chip>\w{4,8}) [A-Z]\d\d (?:GSP|FSP)) BROM", re.ASCII)


class DeviceRejectedError(RejectedError):
    """The certificates are not of one device of a known kind, or of the one that is reported."""

    code = "device-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the device {reason}")
        self.reason = reason


class Architecture(StrEnum):
    """The generations of devices, as NVIDIA's tools call them."""

    HOPPER = "hopper"
    BLACKWELL = "blackwell"
    LS10 = "ls10"

    @classmethod
    def of_chip(cls, chip: str) -> "Architecture":
        """Return the generation of a chip, or raise ``DeviceRejectedError``."""
        for pattern, found in (
            (r"GH\d{3}", cls.HOPPER),
            (r"GB\d{3}", cls.BLACKWELL),
            (r"LS_10", cls.LS10),
        ):
            if re.fullmatch(pattern, chip, re.ASCII):
                return found
        raise DeviceRejectedError(reason=f"has a chip of no known generation: {chip!r}")

    @property
    def is_switch(self) -> bool:
        """Whether it switches between GPUs, rather than being one."""
        return self is Architecture.LS10


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device: its generation and chip, and the numbers that tell it from all others.

    ``model`` is what NVIDIA calls the hardware's model. ``serial`` is the number of its boot code's
    certificate, which stays; ``ueid`` is that of its firmware's, as NVIDIA's tools write it, and
    changes with the firmware.
    """

    architecture: Architecture
    chip: str
    model: str
    serial: str
    ueid: str

    @classmethod
    def of_path(cls, path: Path) -> "Device":
        """Return the device that a verified path is about, or raise ``DeviceRejectedError``."""
        names = [certificate.common_name for certificate in path.certificates]
        if len(names) != CHAIN_LENGTH:
            raise DeviceRejectedError(reason=f"has {len(names)} certificates, not {CHAIN_LENGTH}")
        _, family, line, boot, firmware = names
        boot_match, line_match = _BOOT.fullmatch(boot), _LINE.fullmatch(line)
        if (
            boot_match is None
            or line_match is None
            or _FAMILY.fullmatch(family) is None
            or line_match[1] != boot_match["chip"]
            or firmware != f"{boot_match['part']} FMC LF"
        ):
            raise DeviceRejectedError(
                reason=f"is {firmware!r} of {boot!r} of {line!r}, which are not of one known kind"
            )
        chip = boot_match["chip"]
        return cls(
            architecture=Architecture.of_chip(chip),
            chip=chip,
            model=boot,
            serial=f"{path.certificates[-2].serial:x}",
            ueid=str(path.leaf.serial),
        )
