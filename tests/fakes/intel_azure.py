"""A fake Azure over a fake Intel: a paravisor with a vTPM, in a TD that the platform quotes.

Built here, by offsets and with the standard library; ``FakeAzure`` mints what is right, and one
argument makes it wrong in that one way.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from tests.fakes.intel import FakeIntel, td_report

NONCE = b"a nonce that somebody chose"
REGISTERS = tuple(hashlib.sha256(b"pcr%d" % index).digest() for index in range(24))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


class FakeAzure:
    """A VM whose vTPM has one key."""

    def __init__(self, intel: FakeIntel) -> None:
        self.intel = intel
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def runtime_data(self, **changes: Any) -> bytes:
        """Return what the paravisor says of the VM; a change to ``...`` leaves a field out."""
        numbers = self.key.public_key().public_numbers()
        record: dict[str, Any] = {
            "keys": [
                {
                    "kid": "HCLAkPub",
                    "key_ops": ["sign"],
                    "kty": "RSA",
                    "e": "AQAB",
                    "n": base64url(numbers.n.to_bytes(256, "big")),
                },
                {"kid": "HCLEkPub", "kty": "RSA", "e": "AQAB", "n": "AA"},
            ],
            "vm-configuration": {"console-enabled": True, "secure-boot": True},
            "user-data": "AB" * 64,
            **changes,
        }
        return json.dumps({name: item for name, item in record.items() if item is not ...}).encode()

    def hcl_report(
        self,
        runtime_data: bytes,
        *,
        signature: bytes = b"HCLA",
        version: int = 2,
        report_type: int = 4,
        hash_type: int = 1,
        data_version: int = 1,
        data_size: int | None = None,
        tail: bytes = bytes(169),
    ) -> bytes:
        size = len(runtime_data)
        numbers = (
            size + 20 if data_size is None else data_size,
            data_version,
            report_type,
            hash_type,
            size,
        )
        return (
            signature
            + version.to_bytes(4, "little")
            + bytes(24)
            + bytes(1184)
            + b"".join(number.to_bytes(4, "little") for number in numbers)
            + runtime_data
            + tail
        )

    def message(
        self,
        *,
        magic: bytes = b"\xffTCG",
        kind: int = 0x8018,
        nonce: bytes = NONCE,
        safe: int = 1,
        banks: int = 1,
        bank: int = 0x000B,
        selection: bytes = b"\xff\xff\xff",
        digest: bytes | None = None,
        tail: bytes = b"",
    ) -> bytes:
        """Return what a TPM signs about its registers."""
        bits = int.from_bytes(selection, "little")
        chosen = [REGISTERS[index] for index in range(24) if bits >> index & 1]
        return (
            magic
            + kind.to_bytes(2, "big")
            + sized(b"\0\x0b" + bytes(32))
            + sized(nonce)
            + (12345).to_bytes(8, "big")
            + (2).to_bytes(4, "big")
            + (1).to_bytes(4, "big")
            + bytes([safe])
            + (7).to_bytes(8, "big")
            + banks.to_bytes(4, "big")
            + bank.to_bytes(2, "big")
            + bytes([len(selection)])
            + selection
            + sized(hashlib.sha256(b"".join(chosen)).digest() if digest is None else digest)
            + tail
        )

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, padding.PKCS1v15(), SHA256())

    def bundle(
        self,
        *,
        runtime: Mapping[str, Any] | None = None,
        runtime_data: bytes | None = None,
        hcl: Mapping[str, Any] | None = None,
        tpm: Mapping[str, Any] | None = None,
        registers: Sequence[bytes] = REGISTERS,
        report_data: bytes | None = None,
        quote: Mapping[str, Any] | None = None,
        quote_tail: bytes = bytes(70),
        signature: bytes | None = None,
        **changes: Any,
    ) -> bytes:
        """Return a bundle; what ``changes`` puts into the file is as it is."""
        data = self.runtime_data(**(runtime or {})) if runtime_data is None else runtime_data
        bound = hashlib.sha256(data).digest() + bytes(32)
        body = td_report(report_data=bound if report_data is None else report_data)
        message = self.message(**(tpm or {}))
        td_quote = self.intel.quote(**{"body": body, **(quote or {})})
        record: dict[str, Any] = {
            "version": 1,
            "tpm_quote": {
                "signature": (self.sign(message) if signature is None else signature).hex(),
                "message": message.hex(),
                "pcrs": [item.hex() for item in registers],
            },
            "hcl_report": base64url(self.hcl_report(data, **(hcl or {}))),
            "td_quote": base64url(td_quote + quote_tail),
            **changes,
        }
        return json.dumps({name: item for name, item in record.items() if item is not ...}).encode()
