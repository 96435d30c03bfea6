"""A fake Azure over a fake AMD: a paravisor with a vTPM, in a guest that the processor reports on.

The vTPM is that of the fake over Intel; the hardware's report stands in the paravisor's.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from tests.fakes.amd import FakeAmd
from tests.fakes.intel_azure import REGISTERS, FakeAzure, base64url

HEADER = 32
REPORT = 1184


class FakeAzureSnp(FakeAzure):
    """A VM whose vTPM has one key."""

    def __init__(self, amd: FakeAmd) -> None:
        self.amd = amd
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def bundle(
        self,
        *,
        runtime: Mapping[str, Any] | None = None,
        hcl: Mapping[str, Any] | None = None,
        tpm: Mapping[str, Any] | None = None,
        registers: Sequence[bytes] = REGISTERS,
        report: Mapping[str, Any] | None = None,
        signature: bytes | None = None,
        envelope: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> bytes:
        """Return a bundle; what ``changes`` puts into the file is as it is."""
        data = self.runtime_data(**(runtime or {}))
        bound = hashlib.sha256(data).digest() + bytes(32)
        hardware = self.amd.report(**{"report_data": bound, **(report or {})})
        hcl_report = self.hcl_report(data, **{"report_type": 2, **(hcl or {})})
        message = self.message(**(tpm or {}))
        record: dict[str, Any] = {
            "version": 1,
            "tpm_quote": {
                "signature": (self.sign(message) if signature is None else signature).hex(),
                "message": message.hex(),
                "pcrs": [item.hex() for item in registers],
            },
            "hcl_report": base64url(hcl_report[:HEADER] + hardware + hcl_report[HEADER + REPORT :]),
            "vcek": base64url(self.amd.vek_der),
            **changes,
        }
        record = {name: item for name, item in record.items() if item is not ...}
        if envelope is not None:
            record = {"platform": "az-snp", "evidence": record, **envelope}
        return json.dumps(record).encode()
