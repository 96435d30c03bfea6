import hashlib
import json
from typing import Any

import pytest
from tests.fakes.intel import NOW, FakeIntel
from tests.fakes.intel_azure import NONCE, REGISTERS, FakeAzure, base64url
from tests.properties.mutation import flipped

from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.azure.hcl import HclReport, RuntimeData
from adyton.evidence.azure.tdx import AzureTdxClaims, authenticate
from adyton.evidence.azure.tpm import TpmQuote
from adyton.evidence.azure.vtpm import RegistersRejectedError, RuntimeDataRejectedError
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.layout import without_padding

INTEL = FakeIntel()
AZURE = FakeAzure(INTEL)


def authenticated(data: bytes, **more: Any) -> AzureTdxClaims:
    return authenticate(data, roots=INTEL.roots, at=NOW, **more)


def test_a_good_bundle_says_what_the_vtpm_measured() -> None:
    collateral = IntelCollateral.from_bytes(INTEL.collateral())
    claims = authenticated(AZURE.bundle(), collateral=collateral)
    assert claims.vtpm.registers == dict(enumerate(REGISTERS))
    assert claims.vtpm.nonce == NONCE
    assert claims.vtpm.configuration["secure-boot"] is True
    assert claims.vtpm.user_data == b"\xab" * 64
    assert (claims.vtpm.reset_count, claims.vtpm.restart_count) == (2, 1)
    assert claims.vtpm.signed_sha256 == hashlib.sha256(AZURE.message()).digest()
    assert claims.tdx.dcap.tcb is not None
    assert claims.tdx.dcap.tcb.status == "UpToDate"


def test_only_the_registers_that_are_signed_are_said() -> None:
    other = [*REGISTERS[:8], *[bytes(32)] * 16]
    claims = authenticated(AZURE.bundle(tpm={"selection": b"\xff\0\0"}, registers=other))
    assert claims.vtpm.registers == dict(enumerate(REGISTERS[:8]))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        # The bundle
        ({"version": 2}, MalformedError),
        ({"version": True}, MalformedError),
        ({"td_quote": ...}, MalformedError),
        ({"td_quote": "AA=="}, MalformedError),
        ({"td_quote": "AB"}, MalformedError),
        ({"hcl_report": "A+"}, MalformedError),
        ({"tpm_quote": {}}, MalformedError),
        ({"tpm_quote": {"signature": "", "message": "0", "pcrs": []}}, MalformedError),
        ({"tpm_quote": {"signature": "", "message": "", "pcrs": ["00"]}}, MalformedError),
        ({"more": 1}, MalformedError),
        # The TD's quote
        ({"quote": {"signer": "pck"}}, SignatureRejectedError),
        ({"quote_tail": b"\1"}, MalformedError),
        # Step 1 of the vTPM
        ({"hcl": {"signature": b"HCLB"}}, MalformedError),
        ({"hcl": {"version": 3}}, MalformedError),
        ({"hcl": {"data_version": 2}}, MalformedError),
        ({"hcl": {"data_size": 1}}, MalformedError),
        ({"hcl": {"report_type": 3}}, MalformedError),
        ({"hcl": {"hash_type": 2}}, MalformedError),
        ({"hcl": {"tail": b"\1"}}, MalformedError),
        ({"hcl": {"tail": bytes(16 * 1024)}}, MalformedError),
        ({"hcl": {"report_type": 2}}, RuntimeDataRejectedError),
        # Step 2
        ({"report_data": bytes(64)}, RuntimeDataRejectedError),
        (
            {"report_data": hashlib.sha256(AZURE.runtime_data()).digest() + b"\1" + bytes(31)},
            RuntimeDataRejectedError,
        ),
        # Step 3
        ({"runtime_data": b"not json"}, MalformedError),
        ({"runtime": {"keys": []}}, MalformedError),
        ({"runtime": {"keys": ...}}, MalformedError),
        ({"runtime": {"keys": [{"kid": "HCLAkPub", "kty": "EC"}]}}, MalformedError),
        (
            {"runtime": {"keys": [{"kid": "HCLAkPub", "kty": "RSA", "e": "AQAB"}]}},
            MalformedError,
        ),
        ({"runtime": {"vm-configuration": ...}}, MalformedError),
        ({"runtime": {"user-data": "00"}}, MalformedError),
        # Step 4
        ({"signature": bytes(256)}, SignatureRejectedError),
        ({"signature": FakeAzure(INTEL).sign(AZURE.message())}, SignatureRejectedError),
        (
            {"runtime": {"keys": [{"kid": "HCLAkPub", "kty": "RSA", "e": "Aw", "n": "AQ"}]}},
            MalformedError,
        ),
        # Step 5
        ({"tpm": {"magic": b"\xffTCB"}}, MalformedError),
        ({"tpm": {"kind": 0x8017}}, MalformedError),
        ({"tpm": {"nonce": bytes(67)}}, MalformedError),
        ({"tpm": {"safe": 2}}, MalformedError),
        ({"tpm": {"banks": 2}}, MalformedError),
        ({"tpm": {"bank": 4}}, MalformedError),
        ({"tpm": {"selection": b"\xff\xff\xff\xff"}}, MalformedError),
        ({"tpm": {"digest": bytes(20)}}, MalformedError),
        ({"tpm": {"tail": b"\0"}}, MalformedError),
        ({"tpm": {"tail": bytes(1024)}}, MalformedError),
        # Step 6
        ({"tpm": {"digest": bytes(32)}}, RegistersRejectedError),
        ({"registers": [bytes(32), *REGISTERS[1:]]}, RegistersRejectedError),
        ({"registers": REGISTERS[:23]}, RegistersRejectedError),
    ],
)
def test_each_broken_step_is_refused(broken: dict[str, Any], reason: type[AdytonError]) -> None:
    with pytest.raises(reason):
        authenticated(AZURE.bundle(**broken))


def test_a_quote_comes_out_of_its_padding_and_nothing_else_does() -> None:
    for tee, version in (("sgx", 3), ("tdx", 4), ("tdx", 5)):
        tee_: Any = tee
        quote = INTEL.quote(tee_, version=version)
        assert without_padding(quote) == without_padding(quote + bytes(70)) == quote
        assert without_padding(quote + b"\0\1") == quote + b"\0\1"
    for data in (b"", b"\5", bytes(48), b"\5" + bytes(47), b"\5" + bytes(60)):
        assert data.startswith(without_padding(data))


def test_no_flipped_bit_of_what_the_vtpm_signs_is_accepted() -> None:
    record = json.loads(AZURE.bundle())
    message = bytes.fromhex(record["tpm_quote"]["message"])
    for bit in range(8 * len(message)):
        record["tpm_quote"]["message"] = flipped(message, bit).hex()
        with pytest.raises(AdytonError):
            authenticated(json.dumps(record).encode())


def test_parts_that_are_cut_anywhere_are_malformed() -> None:
    message, runtime = AZURE.message(), AZURE.runtime_data()
    report = AZURE.hcl_report(runtime, tail=b"")
    for size in range(len(message)):
        with pytest.raises(MalformedError):
            TpmQuote.from_bytes(message[:size])
    for size in range(len(report)):
        with pytest.raises(MalformedError):
            HclReport.from_bytes(report[:size])
    for size in range(len(runtime)):
        with pytest.raises(MalformedError):
            RuntimeData.from_bytes(runtime[:size])


def test_parts_have_a_limit() -> None:
    with pytest.raises(MalformedError, match="limit 1024"):
        TpmQuote.from_bytes(bytes(1025))
    with pytest.raises(MalformedError, match="limit 16384"):
        HclReport.from_bytes(bytes(16 * 1024 + 1))


def test_base64url_has_no_padding() -> None:
    assert base64url(b"\xff\xfe") == "__4"
