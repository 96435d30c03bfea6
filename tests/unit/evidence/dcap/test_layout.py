from typing import Any

import pytest
from tests.fakes.intel import FakeIntel, enclave_report, td_report

from adyton.errors import MalformedError
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.layout import (
    MAX_QUOTE_BYTES,
    BodyType,
    CertificationRejectedError,
    Quote,
    TeeType,
)
from adyton.evidence.tdx.layout import TdAttributes, TdReport

VENDOR = FakeIntel()


@pytest.mark.parametrize(
    ("tee", "version", "body_type"),
    [
        ("sgx", 3, BodyType.SGX),
        ("sgx", 4, BodyType.SGX),
        ("sgx", 5, BodyType.SGX),
        ("tdx", 4, BodyType.TD_1_0),
        ("tdx", 5, BodyType.TD_1_5),
    ],
)
def test_every_kind_of_quote_is_read(tee: Any, version: int, body_type: BodyType) -> None:
    data = VENDOR.quote(tee, version=version)
    quote = Quote.from_bytes(data)
    assert (quote.version, quote.body_type) == (version, body_type)
    assert quote.tee_type is (TeeType.SGX if tee == "sgx" else TeeType.TDX)
    assert data.startswith(quote.signed_bytes)
    assert quote.signed_bytes.endswith(quote.body)
    assert quote.user_data == b"user data 20 bytes.."
    assert quote.attestation_key == VENDOR.point()
    assert quote.qe_authentication_data == bytes(range(32))
    assert quote.qe_report_bytes == quote.qe_report.to_bytes()
    assert quote.pck_chain == tuple(VENDOR.der(name) for name in ("pck", "authority", "root"))


def test_a_td_of_1_0_may_come_in_version_5() -> None:
    quote = Quote.from_bytes(VENDOR.quote("tdx", version=5, body_type=2, body=td_report()))
    assert quote.body_type is BodyType.TD_1_0


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"version": 2}, "version 2"),
        ({"version": 6}, "version 6"),
        ({"version": 3}, "tee type 0x81"),
        ({"key_type": 3}, "of type 3, not 2"),
        ({"tee_type": 1}, "tee type 0x1"),
        ({"version": 5, "body_type": 4}, "body is of type 4"),
        ({"version": 5, "body_type": 1}, "not of the tee type 0x81"),
        ({"version": 5, "body_size": 649}, "has 649 bytes"),
        ({"outer_type": 5}, "of type 5, not 6"),
        ({"tail": b"\0"}, "1 bytes too many"),
        ({"inner_tail": b"\0"}, "1 bytes too many"),
        ({"qe_report": {"reserved_1": b"1" * 12}}, "reserved field"),
        ({"qe_report": {"reserved_2": b"1" * 32}}, "reserved field"),
        ({"qe_report": {"reserved_3": b"1" * 32}}, "reserved field"),
        ({"qe_report": {"reserved_4": b"1" * 42}}, "reserved field"),
        ({"chain": b""}, "not 3 pem certificates"),
        ({"chain": VENDOR.pem("pck", "authority").encode()}, "not 3 pem certificates"),
        ({"chain": VENDOR.pem("pck", "authority", "root", "root").encode()}, "not 3 pem"),
        ({"chain": b" " + VENDOR.pem("pck", "authority", "root").encode()}, "not 3 pem"),
        ({"chain": VENDOR.pem("pck", "authority", "root").encode() + b"\0\0"}, "not 3 pem"),
        ({"chain": VENDOR.pem("pck", "authority", "root").replace("M", "=").encode()}, "base64"),
        ({"authentication_data": bytes(MAX_QUOTE_BYTES)}, "the limit is"),
    ],
)
def test_each_broken_quote_is_malformed(broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        Quote.from_bytes(VENDOR.quote(**broken))


@pytest.mark.parametrize("chain_end", [b"", b"\0"])
def test_a_chain_may_end_like_a_c_string(chain_end: bytes) -> None:
    chain = VENDOR.pem("pck", "authority", "root").encode()
    for text in (chain, chain.rstrip(b"\n")):
        quote = Quote.from_bytes(VENDOR.quote(chain=text + chain_end))
        assert len(quote.pck_chain) == 3


@pytest.mark.parametrize("found", [1, 2, 3, 4, 6, 7])
def test_a_quote_without_its_chain_says_so(found: int) -> None:
    with pytest.raises(CertificationRejectedError, match=f"type {found}"):
        Quote.from_bytes(VENDOR.quote(certification_type=found))


@pytest.mark.parametrize(("tee", "version"), [("sgx", 3), ("tdx", 4), ("tdx", 5)])
def test_a_quote_that_is_cut_anywhere_is_malformed(tee: Any, version: int) -> None:
    data = VENDOR.quote(tee, version=version)
    for size in range(len(data)):
        with pytest.raises(MalformedError):
            Quote.from_bytes(data[:size])


def test_an_enclave_report_gives_back_its_bytes() -> None:
    data = enclave_report(
        isv_ext_prod_id=b"e" * 16, config_id=b"c" * 64, config_svn=b"\1\2", isv_family_id=b"f" * 16
    )
    report = EnclaveReport.from_bytes(data)
    assert report.to_bytes() == data
    assert report.config_svn == 0x0201
    assert not report.debug
    for size in (383, 385):
        with pytest.raises(MalformedError, match=f"{size} bytes"):
            EnclaveReport.from_bytes((data + b"\0")[:size])


def test_a_td_report_has_its_fields_where_the_tables_say() -> None:
    report = TdReport.from_bytes(
        td_report(
            size=648,
            mr_config_id=b"c" * 48,
            mr_owner=b"o" * 48,
            mr_owner_config=b"O" * 48,
            mr_signer_seam=b"s" * 48,
            seam_attributes=b"a" * 8,
            tee_tcb_svn2=b"2" * 16,
            mr_service_td=b"t" * 48,
        ),
        BodyType.TD_1_5,
    )
    assert (report.mr_config_id, report.mr_owner, report.mr_owner_config) == (
        b"c" * 48,
        b"o" * 48,
        b"O" * 48,
    )
    assert (report.mr_signer_seam, report.seam_attributes) == (b"s" * 48, b"a" * 8)
    assert (report.tee_tcb_svn2, report.mr_service_td) == (b"2" * 16, b"t" * 48)
    assert report.attributes == TdAttributes.SEPT_VE_DISABLE
    assert not report.debug
    with pytest.raises(MalformedError, match="648 bytes, not 584"):
        TdReport.from_bytes(bytes(648), BodyType.TD_1_0)
    assert TdReport.from_bytes(bytes(584), BodyType.TD_1_0).mr_service_td is None
