"""The identity of Intel's quoting enclave: which enclave may certify an attestation key.

Follows "Enclave Identity V2" (Provisioning Certification Service API, version 4). The provisioning
enclave signs reports of any enclave that asks and may: without this check, everybody with an SGX
machine could make quotes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from adyton.codec.json import as_integer, as_string
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.layout import TeeType
from adyton.evidence.dcap.signed_json import (
    SvnLevel,
    field,
    hexadecimal,
    instant,
    signed_object,
    svn_levels,
)

__all__ = ["QeIdentity", "QuotingEnclaveRejectedError", "check_is_intels"]

_VERSION: Final = 2
_TEES: Final = {"QE": TeeType.SGX, "TD_QE": TeeType.TDX}
# MRSIGNER and ISVPRODID of Intel's quoting enclaves. Source: every identity that Intel signed for
# them, from 2023-01-18 to 2026-07-30 in those that we test with. Read on 2026-11-20.
_INTELS: Final[Mapping[TeeType, tuple[bytes, int]]] = MappingProxyType(
    {
        TeeType.SGX: (
            bytes.fromhex("8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff"),
            1,
        ),
        TeeType.TDX: (
            bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5"),
            2,
        ),
    }
)


class QuotingEnclaveRejectedError(RejectedError):
    """The enclave that vouches for the quote's key is not Intel's."""

    code = "quoting-enclave-rejected"

    def __init__(self, *, field: str, found: str, wanted: str) -> None:
        super().__init__(f"{field} of the quoting enclave is {found}, not {wanted}")
        self.field, self.found, self.wanted = field, found, wanted


def check_is_intels(report: EnclaveReport, tee_type: TeeType) -> None:
    """Raise unless Intel signed this enclave as the one that quotes for ``tee_type``.

    As far as that can be told without collateral: ``QeIdentity`` knows the versions, too.
    """
    mr_signer, isv_prod_id = _INTELS[tee_type]
    _check("mrsigner", report.mr_signer.hex(), mr_signer.hex())
    _check("isvprodid", str(report.isv_prod_id), str(isv_prod_id))
    if report.debug:
        raise QuotingEnclaveRejectedError(field="the debug attribute", found="set", wanted="clear")


@dataclass(frozen=True, slots=True, kw_only=True)
class QeIdentity:
    """An enclave's identity. ``levels`` are newest first, as Intel sorts them."""

    tee_type: TeeType
    evaluation_number: int
    issued: datetime
    next_update: datetime
    misc_select: bytes
    misc_select_mask: bytes
    attributes: bytes
    attributes_mask: bytes
    mr_signer: bytes
    isv_prod_id: int
    levels: tuple[SvnLevel, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "QeIdentity":
        """Return the identity in a text that was signed, or raise ``MalformedError``."""
        record = signed_object(data, "the qe identity")
        version = field(record, "version")
        if version != _VERSION or isinstance(version, bool):
            raise MalformedError("the qe identity is not of version 2")
        name = as_string(field(record, "id"), "id", limit=8)
        if name not in _TEES:
            raise MalformedError(f"the qe identity is of {name!r}, not of QE or TD_QE")
        return cls(
            tee_type=_TEES[name],
            evaluation_number=as_integer(
                field(record, "tcbEvaluationDataNumber"), "tcbEvaluationDataNumber"
            ),
            issued=instant(record, "issueDate"),
            next_update=instant(record, "nextUpdate"),
            misc_select=hexadecimal(record, "miscselect", size=4),
            misc_select_mask=hexadecimal(record, "miscselectMask", size=4),
            attributes=hexadecimal(record, "attributes", size=16),
            attributes_mask=hexadecimal(record, "attributesMask", size=16),
            mr_signer=hexadecimal(record, "mrsigner", size=32),
            isv_prod_id=as_integer(field(record, "isvprodid"), "isvprodid", high=0xFFFF),
            levels=svn_levels(record),
        )

    def check(self, report: EnclaveReport) -> None:
        """Raise unless ``report`` is of this enclave, of whatever version."""
        misc_select = masked(report.misc_select, self.misc_select_mask)
        _check("miscselect", misc_select.hex(), self.misc_select.hex())
        attributes = masked(report.attributes, self.attributes_mask)
        _check("attributes", attributes.hex(), self.attributes.hex())
        _check("mrsigner", report.mr_signer.hex(), self.mr_signer.hex())
        _check("isvprodid", str(report.isv_prod_id), str(self.isv_prod_id))


def masked(value: bytes, mask: bytes) -> bytes:
    """Return the bits of ``value`` that ``mask`` leaves."""
    return bytes(a & b for a, b in zip(value, mask, strict=True))


def _check(field: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise QuotingEnclaveRejectedError(field=field, found=found, wanted=wanted)
