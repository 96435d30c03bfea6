"""What a notary says of itself in each proof: by which platform, and as which code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adyton.adapters.platforms import PlatformName
from adyton.errors import RejectedError
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.nitro.layout import Document
from adyton.flow.ports import Platform
from adyton.ledger.ledger import Identity
from adyton.ledger.proof import Enforcement

__all__ = ["NotaryUnmeasuredError", "SelfDescription", "describe"]

# The words of provenclave/1. The insecure platform has the format of Nitro's, and says what it is.
_FORMATS: Final[Mapping[PlatformName, str]] = {
    PlatformName.INSECURE: "aws-nitro",
    PlatformName.NITRO: "aws-nitro",
    PlatformName.SGX: "sgx-dcap",
}


class NotaryUnmeasuredError(RejectedError):
    """The platform has measured nothing: an enclave in debug mode, whose memory is open."""

    code = "notary-unmeasured"

    def __init__(self) -> None:
        super().__init__(
            "the measurement is all zeros, as in debug mode: proofs would vouch for nothing; start"
            " the enclave without it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfDescription:
    """What all proofs of an epoch carry, with the evidence over its key."""

    enforcement: Enforcement
    measurement: str
    format: str
    report: bytes = field(repr=False)


async def describe(
    identity: Identity, *, name: PlatformName, platform: Platform
) -> SelfDescription:
    """Return what ``platform`` says of this process.

    Raises ``UnavailableError`` where it says nothing, and ``NotaryUnmeasuredError`` where it has
    measured nothing.
    """
    report = await platform.evidence(identity.binding, None, identity.key.public)
    is_stub = name is PlatformName.INSECURE
    measurement = _measurement(name, report)
    if not any(measurement):
        raise NotaryUnmeasuredError
    return SelfDescription(
        enforcement=Enforcement.STUB if is_stub else Enforcement.MEASURED_TEE,
        measurement=measurement.hex(),
        format=_FORMATS[name],
        report=report,
    )


def _measurement(name: PlatformName, report: bytes) -> bytes:
    if name is PlatformName.SGX:
        return EnclaveReport.from_bytes(Quote.from_bytes(report).body).mr_enclave
    return Document.from_bytes(report).pcrs[0]
