"""An attestation report of SEV-SNP: bytes to a frozen value, nothing about it verified.

Follows "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860), tables
"ATTESTATION_REPORT Structure", "Guest Policy", "PLATFORM_INFO" and "ECDSA P-384 with SHA-384
Signature". Numbers are little-endian. Version 3 added family, model and stepping of the processor;
version 4 changed no field; version 5 added the vectors of mitigations.

What is reserved is zero in all reports of these versions, and refused where it is not, with two
exceptions: PLATFORM_INFO, of which firmware uses bits that are not documented yet, and the guest's
policy, whose unknown bits are a finding.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from adyton.codec.reader import Reader
from adyton.errors import MalformedError
from adyton.evidence.sev_snp.product import TCB_SIZE

__all__ = ["REPORT_SIZE", "FirmwareVersion", "GuestPolicy", "PlatformInfo", "Report", "SigningKey"]

REPORT_SIZE: Final = 1184
_SIGNED_SIZE: Final = 0x2A0
_VERSIONS: Final = (2, 3, 4, 5)
_FIRST_WITH_PROCESSOR: Final = 3
_FIRST_WITH_MITIGATIONS: Final = 5
_ECDSA_P384_SHA384: Final = 1
_NUMBER_SIZE: Final = 72
_COORDINATE_SIZE: Final = 48
_MAX_VMPL: Final = 3
_AUTHOR_KEY_EN: Final = 1 << 0
_MASK_CHIP_KEY: Final = 1 << 1
_SIGNING_KEY_SHIFT: Final = 2
_KEY_INFO_BITS: Final = 5

# What stands for the host: a report that it asked for has no privilege level of the guest.
_HOST: Final = 0xFFFFFFFF


class SigningKey(IntEnum):
    """Whose key signed a report: the chip's own, or one that AMD gave to an operator of many."""

    VCEK = 0
    VLEK = 1


_SIGNING_KEYS: Final = {key.value: key for key in SigningKey}


class GuestPolicy(IntFlag):
    """The bits of a guest's policy that have names. The lowest two bytes are a version."""

    SMT = 1 << 16
    RESERVED_ONE = 1 << 17
    MIGRATE_MA = 1 << 18
    DEBUG = 1 << 19
    SINGLE_SOCKET = 1 << 20
    CXL_ALLOW = 1 << 21
    MEM_AES_256_XTS = 1 << 22
    RAPL_DIS = 1 << 23
    CIPHERTEXT_HIDING_DRAM = 1 << 24
    PAGE_SWAP_DISABLE = 1 << 25


class PlatformInfo(IntFlag):
    """The properties of a platform that have names."""

    SMT_EN = 1 << 0
    TSME_EN = 1 << 1
    ECC_EN = 1 << 2
    RAPL_DIS = 1 << 3
    CIPHERTEXT_HIDING_DRAM_EN = 1 << 4
    ALIAS_CHECK_COMPLETE = 1 << 5
    TIO_EN = 1 << 7


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FirmwareVersion:
    """The version of a firmware, as AMD writes it: ``major.minor.build``."""

    major: int
    minor: int
    build: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An attestation report as AMD's table describes it.

    The four versions of the TCB are as they stand: what they mean is up to the processor.
    ``processor`` is family, model and stepping, ``None`` before version 3; the vectors of
    mitigations are ``None`` before version 5. ``vmpl`` is ``None`` where the host asked for the
    report, and not the guest. ``signing_key`` is ``None`` where no key signed, which the host can
    have so. ``signature`` is as ES384 has it, big-endian.
    """

    version: int
    guest_svn: int
    policy: GuestPolicy
    family_id: bytes
    image_id: bytes
    vmpl: int | None
    signature_algo: int
    current_tcb: bytes
    platform_info: PlatformInfo
    key_info: int
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    report_id: bytes
    report_id_ma: bytes
    reported_tcb: bytes
    processor: tuple[int, int, int] | None
    chip_id: bytes
    committed_tcb: bytes
    current_version: FirmwareVersion
    committed_version: FirmwareVersion
    launch_tcb: bytes
    launch_mit_vector: int | None
    current_mit_vector: int | None
    signed_bytes: bytes
    signature: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> "Report":
        """Return the report in ``data``, or raise ``MalformedError``."""
        if len(data) != REPORT_SIZE:
            raise MalformedError(f"a report has {len(data)} bytes, not {REPORT_SIZE}")
        reader = Reader(data, where="the report")
        version = reader.little_endian(4, "VERSION")
        if version not in _VERSIONS:
            raise MalformedError(f"the report is of version {version}, not 2 to 5")
        report = cls(
            version=version,
            guest_svn=reader.little_endian(4, "GUEST_SVN"),
            policy=_policy(reader),
            family_id=reader.take(16, "FAMILY_ID"),
            image_id=reader.take(16, "IMAGE_ID"),
            vmpl=_vmpl(reader),
            signature_algo=_algorithm(reader),
            current_tcb=reader.take(TCB_SIZE, "CURRENT_TCB"),
            platform_info=PlatformInfo(reader.little_endian(8, "PLATFORM_INFO")),
            key_info=_key_info(reader),
            report_data=reader.take(64, "REPORT_DATA"),
            measurement=reader.take(48, "MEASUREMENT"),
            host_data=reader.take(32, "HOST_DATA"),
            id_key_digest=reader.take(48, "ID_KEY_DIGEST"),
            author_key_digest=reader.take(48, "AUTHOR_KEY_DIGEST"),
            report_id=reader.take(32, "REPORT_ID"),
            report_id_ma=reader.take(32, "REPORT_ID_MA"),
            reported_tcb=reader.take(TCB_SIZE, "REPORTED_TCB"),
            processor=_processor(reader, version),
            chip_id=reader.take(64, "CHIP_ID"),
            committed_tcb=reader.take(TCB_SIZE, "COMMITTED_TCB"),
            current_version=_firmware(reader),
            committed_version=_firmware(reader),
            launch_tcb=reader.take(TCB_SIZE, "LAUNCH_TCB"),
            launch_mit_vector=_mitigations(reader, version),
            current_mit_vector=_mitigations(reader, version),
            signed_bytes=data[:_SIGNED_SIZE],
            signature=_signature(data[_SIGNED_SIZE:]),
        )
        _check_zero(reader, 152, "behind its last field")
        return report

    @property
    def author_key_en(self) -> bool:
        """Whether ``author_key_digest`` is of a key that signed the guest's identity key."""
        return bool(self.key_info & _AUTHOR_KEY_EN)

    @property
    def mask_chip_key(self) -> bool:
        """Whether the host had the chip's key masked: nothing is signed then."""
        return bool(self.key_info & _MASK_CHIP_KEY)

    @property
    def signing_key(self) -> SigningKey | None:
        """Whose key signed, if any did."""
        return _SIGNING_KEYS.get(self.key_info >> _SIGNING_KEY_SHIFT)

    @property
    def debug(self) -> bool:
        """Whether the host may read the guest's memory and state."""
        return bool(self.policy & GuestPolicy.DEBUG)

    @property
    def abi(self) -> tuple[int, int]:
        """The lowest version of the firmware's interface that the guest runs on."""
        return self.policy >> 8 & 0xFF, self.policy & 0xFF


def _check_zero(reader: Reader, size: int, where: str) -> None:
    if any(reader.take(size, where)):
        raise MalformedError(f"the report has something {where}, where its version has zeros")


def _policy(reader: Reader) -> GuestPolicy:
    found = GuestPolicy(reader.little_endian(8, "POLICY"))
    # Firmware starts no guest without this bit.
    if not found & GuestPolicy.RESERVED_ONE:
        raise MalformedError(f"the guest's policy {found:#x} lacks bit 17, which is always set")
    return found


def _vmpl(reader: Reader) -> int | None:
    found = reader.little_endian(4, "VMPL")
    if found != _HOST and found > _MAX_VMPL:
        raise MalformedError(f"the report is of privilege level {found}, not 0 to {_MAX_VMPL}")
    return None if found == _HOST else found


def _algorithm(reader: Reader) -> int:
    found = reader.little_endian(4, "SIGNATURE_ALGO")
    if found != _ECDSA_P384_SHA384:
        raise MalformedError(f"the report is signed with algorithm {found}, not ecdsa with p-384")
    return found


def _key_info(reader: Reader) -> int:
    found = reader.little_endian(4, "the signing key")
    if found >> _KEY_INFO_BITS:
        raise MalformedError(f"the report has unknown bits beside the signing key: {found:#x}")
    _check_zero(reader, 4, "behind the signing key")
    return found


def _processor(reader: Reader, version: int) -> tuple[int, int, int] | None:
    if version < _FIRST_WITH_PROCESSOR:
        _check_zero(reader, 24, "behind REPORTED_TCB")
        return None
    family, model, stepping = reader.take(3, "family, model and stepping")
    _check_zero(reader, 21, "behind the processor's stepping")
    return family, model, stepping


def _firmware(reader: Reader) -> FirmwareVersion:
    build, minor, major = reader.take(3, "the version of the firmware")
    _check_zero(reader, 1, "behind the version of the firmware")
    return FirmwareVersion(major=major, minor=minor, build=build)


def _mitigations(reader: Reader, version: int) -> int | None:
    found = reader.little_endian(8, "a vector of mitigations")
    if version >= _FIRST_WITH_MITIGATIONS:
        return found
    if found:
        raise MalformedError(f"a report of version {version} has a vector of mitigations")
    return None


def _signature(data: bytes) -> bytes:
    reader = Reader(data, where="the signature")
    numbers = [reader.take(_NUMBER_SIZE, name)[::-1] for name in ("R", "S")]
    # Nobody signs what is above the numbers and behind them: it could be changed unnoticed.
    padding = [number[:-_COORDINATE_SIZE] for number in numbers]
    if any(b"".join(padding)) or any(reader.take(reader.remaining, "the padding")):
        raise MalformedError("the report has something around its signature's numbers")
    return b"".join(number[-_COORDINATE_SIZE:] for number in numbers)
