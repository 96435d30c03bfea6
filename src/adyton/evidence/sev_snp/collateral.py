"""What is needed to verify a report beside it: certificates, and a revocation list.

AMD's Key Distribution Service gives them out (AMD 57230); so does the host, with an extended
report. Nothing here is verified, and it does not matter who gave it.
"""

from dataclasses import dataclass
from typing import Final

from adyton.errors import MalformedError, RejectedError
from adyton.evidence.sev_snp.table import ExtendedReport

__all__ = ["CHAIN", "AmdCollateral", "CollateralMissingError"]

# What a report can't be verified without, as errors call it: from the signer's key upwards.
CHAIN: Final = ("a vcek or vlek", "an ask", "an ark")
# AMD's certificates have up to 1700 bytes, its lists less.
MAX_CERTIFICATE_BYTES: Final = 4096
MAX_CRL_BYTES: Final = 64 * 1024


class CollateralMissingError(RejectedError):
    """A certificate without which the report cannot be verified was not given."""

    code = "collateral-missing"

    def __init__(self, *, names: tuple[str, ...]) -> None:
        super().__init__(f"the report comes without {', '.join(names)}")
        self.names = names


@dataclass(frozen=True, slots=True, kw_only=True)
class AmdCollateral:
    """Certificates in DER: AMD's root (ARK), the authority below it, and the key that signed.

    The authority is the ASK for a chip's own key (VCEK), and the ASVK for an operator's (VLEK).
    ``vek`` is ``None`` where the evidence brings it; ``crl`` is the root's list, if it was given.
    """

    ark: bytes
    authority: bytes
    vek: bytes | None = None
    crl: bytes | None = None

    def __post_init__(self) -> None:
        """Raise ``MalformedError`` for what is longer than any of AMD's."""
        for name, part in (("ark", self.ark), ("authority", self.authority), ("vek", self.vek)):
            if part is not None and len(part) > MAX_CERTIFICATE_BYTES:
                raise MalformedError(f"{name} has {len(part)} bytes, limit {MAX_CERTIFICATE_BYTES}")
        if self.crl is not None and len(self.crl) > MAX_CRL_BYTES:
            raise MalformedError(f"the list has {len(self.crl)} bytes, limit {MAX_CRL_BYTES}")

    @classmethod
    def from_extended_report(cls, extended: ExtendedReport) -> "AmdCollateral":
        """Return what came with a report, or raise ``CollateralMissingError``."""
        parts = extended.parts
        vek = parts.get("vcek", parts.get("vlek"))
        if vek is None or "ask" not in parts or "ark" not in parts:
            found = (vek, parts.get("ask"), parts.get("ark"))
            missing = [name for name, part in zip(CHAIN, found, strict=True) if part is None]
            raise CollateralMissingError(names=tuple(missing))
        return cls(ark=parts["ark"], authority=parts["ask"], vek=vek, crl=parts.get("crl"))
