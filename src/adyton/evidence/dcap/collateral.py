"""Collateral: what Intel publishes about platforms, as it was fetched, nothing about it verified.

Follows Intel's "Provisioning Certification Service API", version 4. The file format is the JSON of
``dcap-qvl`` (``QuoteCollateralV3``), in which collateral is commonly passed on: certificate chains
in PEM, revocation lists and signatures in hexadecimal, and the signed texts as they are.
"""

from dataclasses import dataclass, fields
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_object,
    as_string,
    canonical,
    check_keys,
    loads,
)
from adyton.codec.pem import read_chain
from adyton.codec.text import to_base64
from adyton.crypto.hashing import prefixed, sha256
from adyton.errors import MalformedError
from adyton.evidence.dcap.signed_json import MAX_SIGNED_BYTES

__all__ = ["MAX_COLLATERAL_BYTES", "MAX_COLLATERAL_VALUES", "IntelCollateral"]

MAX_COLLATERAL_BYTES: Final = 4 * 1024 * 1024
# Intel's texts, which stand in strings, have a few thousand.
MAX_COLLATERAL_VALUES: Final = 100_000
# Intel's list of revoked platforms has 6 KB; there is room for a bad day.
MAX_CRL_BYTES: Final = 1024 * 1024
SIGNATURE_SIZE: Final = 64
_CHAIN_LENGTH: Final = 2
_MAX_CHAIN_TEXT: Final = 16 * 1024
_LINE: Final = 64

Chain = tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntelCollateral:
    """What is needed to judge platforms of one family.

    Each chain has two certificates: the one that signed, and the root. ``tcb_info`` and
    ``qe_identity`` are the texts that were signed.
    """

    pck_crl_issuer_chain: Chain
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: Chain
    tcb_info: bytes
    tcb_info_signature: bytes
    qe_identity_issuer_chain: Chain
    qe_identity: bytes
    qe_identity_signature: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> "IntelCollateral":
        """Return the collateral in a JSON file, or raise ``MalformedError``."""
        return cls.from_json(
            loads(data, limit_bytes=MAX_COLLATERAL_BYTES, limit_values=MAX_COLLATERAL_VALUES)
        )

    @classmethod
    def from_json(cls, value: Json) -> "IntelCollateral":
        """Return the collateral in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "collateral")
        check_keys(
            record,
            "collateral",
            required=frozenset(item.name for item in fields(cls)),
            optional=frozenset(),
        )
        text = {
            name: as_string(value, name, limit=2 * MAX_CRL_BYTES) for name, value in record.items()
        }
        return cls(
            pck_crl_issuer_chain=chain(text["pck_crl_issuer_chain"], "pck_crl_issuer_chain"),
            root_ca_crl=_hexadecimal(text["root_ca_crl"], "root_ca_crl"),
            pck_crl=_hexadecimal(text["pck_crl"], "pck_crl"),
            tcb_info_issuer_chain=chain(text["tcb_info_issuer_chain"], "tcb_info_issuer_chain"),
            tcb_info=_signed(text["tcb_info"], "tcb_info"),
            tcb_info_signature=_signature(text["tcb_info_signature"], "tcb_info_signature"),
            qe_identity_issuer_chain=chain(
                text["qe_identity_issuer_chain"], "qe_identity_issuer_chain"
            ),
            qe_identity=_signed(text["qe_identity"], "qe_identity"),
            qe_identity_signature=_signature(
                text["qe_identity_signature"], "qe_identity_signature"
            ),
        )

    def to_json(self) -> JsonObject:
        """Return the object that reads as this collateral."""
        return {
            "pck_crl_issuer_chain": _pem(self.pck_crl_issuer_chain),
            "root_ca_crl": self.root_ca_crl.hex(),
            "pck_crl": self.pck_crl.hex(),
            "tcb_info_issuer_chain": _pem(self.tcb_info_issuer_chain),
            "tcb_info": self.tcb_info.decode(),
            "tcb_info_signature": self.tcb_info_signature.hex(),
            "qe_identity_issuer_chain": _pem(self.qe_identity_issuer_chain),
            "qe_identity": self.qe_identity.decode(),
            "qe_identity_signature": self.qe_identity_signature.hex(),
        }

    def to_bytes(self) -> bytes:
        """Return the JSON file that reads as this collateral."""
        return canonical(self.to_json())

    @property
    def sha256(self) -> bytes:
        """A digest of all of it, to find again what was verified before."""
        return sha256(
            prefixed(
                *self.pck_crl_issuer_chain,
                self.root_ca_crl,
                self.pck_crl,
                *self.tcb_info_issuer_chain,
                self.tcb_info,
                self.tcb_info_signature,
                *self.qe_identity_issuer_chain,
                self.qe_identity,
                self.qe_identity_signature,
            )
        )


def chain(text: str, where: str) -> Chain:
    """Return the two certificates of an issuer chain in PEM, or raise ``MalformedError``."""
    if len(text) > _MAX_CHAIN_TEXT or not text.isascii():
        raise MalformedError(f"{where} is too long, or not ascii")
    return read_chain(text.encode(), where, size=_CHAIN_LENGTH)


def _signed(text: str, where: str) -> bytes:
    if len(text) > MAX_SIGNED_BYTES:
        raise MalformedError(f"{where} has more than {MAX_SIGNED_BYTES} characters")
    return text.encode()


def _signature(text: str, where: str) -> bytes:
    signature = _hexadecimal(text, where)
    if len(signature) != SIGNATURE_SIZE:
        raise MalformedError(f"{where} has {len(signature)} bytes, not {SIGNATURE_SIZE}")
    return signature


def _hexadecimal(text: str, where: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise MalformedError(f"{where} is not hexadecimal") from error
    # No spaces, but either case: services differ.
    if data.hex() != text.lower():
        raise MalformedError(f"{where} is not hexadecimal")
    return data


def _pem(certificates: Chain) -> str:
    lines = []
    for der in certificates:
        text = to_base64(der)
        lines.append("-----BEGIN CERTIFICATE-----")
        lines.extend(text[start : start + _LINE] for start in range(0, len(text), _LINE))
        lines.append("-----END CERTIFICATE-----")
    return "\n".join(lines) + "\n"
