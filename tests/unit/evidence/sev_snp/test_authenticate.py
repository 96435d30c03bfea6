import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from tests.fakes.amd import (
    CHIP,
    NOW,
    OPERATOR,
    PROCESSORS,
    FakeAmd,
    Keys,
    List,
    Name,
    extensions,
    integer,
    text,
)

from adyton.crypto.crl import CertificateRevokedError, CrlRejectedError
from adyton.crypto.path import (
    CertificateRejectedError,
    CertificateTimeRejectedError,
    PathCache,
    RootRejectedError,
)
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.sev_snp import authenticate as module
from adyton.evidence.sev_snp.authenticate import (
    ChipRejectedError,
    SigningKeyRejectedError,
    SnpClaims,
    TcbMismatchError,
    authenticate,
)
from adyton.evidence.sev_snp.collateral import AmdCollateral
from adyton.evidence.sev_snp.findings import findings
from adyton.evidence.sev_snp.layout import SigningKey
from adyton.evidence.sev_snp.product import Generation, ProductRejectedError, TcbVersion

MILAN = FakeAmd("Milan")
TURIN = FakeAmd("Turin")
VLEK = FakeAmd("Milan", "vlek")
OTHER = Keys()


def authenticated(
    vendor: FakeAmd = MILAN,
    report: bytes | None = None,
    *,
    collateral: AmdCollateral | None = None,
    **changes: Any,
) -> SnpClaims:
    arguments: dict[str, Any] = {"roots": vendor.roots, "at": NOW, **changes}
    return authenticate(
        vendor.report() if report is None else report,
        collateral=vendor.collateral() if collateral is None else collateral,
        **arguments,
    )


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_a_good_report_of_each_generation_and_version_is_authentic(
    name: Name, version: int
) -> None:
    vendor = FakeAmd(name)
    claims = authenticated(vendor, vendor.report(version=version))
    assert claims.report.version == version
    assert claims.generation == name
    assert claims.signing_key is SigningKey.VCEK
    assert claims.root == "fake"
    assert not claims.is_genuine
    assert claims.vek.hwid == (CHIP[:8] if name == "Turin" else CHIP)
    assert claims.reported == claims.vek.tcb == claims.current == claims.committed == claims.launch
    assert (claims.first, claims.last) == (vendor.vek.first, vendor.vek.last)
    assert claims.crl is None
    assert claims.signed_sha256 == hashlib.sha256(vendor.body(version=version)).digest()
    assert claims.vek_sha256 == hashlib.sha256(vendor.vek_der).digest()
    assert claims.measurements["measurement"] == hashlib.sha384(b"measurement").digest()
    assert findings(claims.report) == ()


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_good_report_under_an_operators_key_is_authentic(name: Name) -> None:
    vendor = FakeAmd(name, "vlek")
    claims = authenticated(vendor, vendor.report(chip_id=bytes(64)))
    assert claims.signing_key is SigningKey.VLEK
    assert (claims.vek.csp_id, claims.vek.hwid) == (OPERATOR, None)


def test_each_generation_has_its_own_order_of_versions() -> None:
    assert authenticated(MILAN).reported == TcbVersion(bl=4, tee=0, snp=27, ucode=222, fmc=None)
    assert authenticated(TURIN).reported == TcbVersion(bl=1, tee=1, snp=4, ucode=81, fmc=1)
    assert str(authenticated(TURIN).reported) == "fmc 1, bl 1, tee 1, snp 4, ucode 81"


def milan(**recipes: Any) -> Callable[[], SnpClaims]:
    return lambda: authenticated(FakeAmd("Milan", **recipes))


def of(vendor: FakeAmd, **changes: Any) -> Callable[[], SnpClaims]:
    return lambda: authenticated(vendor, vendor.report(**changes))


def with_extensions(name: Name = "Milan", kind: Any = "vcek", **changes: bytes | None) -> Any:
    recipe = {"extensions": extensions(name, kind, **changes)}
    return lambda: authenticated(FakeAmd(name, kind, vek=recipe))


def mixed(report: FakeAmd, collateral: FakeAmd) -> Callable[[], SnpClaims]:
    return lambda: authenticated(collateral, report.report())


def listed(recipe: List | None = None, vendor: FakeAmd = MILAN, **how: str) -> Any:
    crl = vendor.crl(recipe, **how)
    return lambda: authenticated(vendor, collateral=vendor.collateral(crl=crl))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(of(MILAN, version=6), MalformedError, id="1: version"),
        pytest.param(
            lambda: authenticated(roots=FakeAmd("Milan").roots), RootRejectedError, id="2: root"
        ),
        pytest.param(
            milan(authority={"signed_by_itself": True}), CertificateRejectedError, id="2: authority"
        ),
        pytest.param(
            milan(vek={"signed_by_itself": True}), CertificateRejectedError, id="2: signature"
        ),
        pytest.param(milan(vek={"issuer": "SEV"}), CertificateRejectedError, id="2: issuer"),
        pytest.param(milan(vek={"hash": SHA256()}), CertificateRejectedError, id="2: sha-256"),
        pytest.param(
            milan(authority={"path_length": None, "is_authority": False}),
            CertificateRejectedError,
            id="2: no authority",
        ),
        pytest.param(
            milan(vek={"is_authority": True, "signs_documents": False}),
            CertificateRejectedError,
            id="2: chip is an authority",
        ),
        pytest.param(
            milan(vek={"signs_documents": False}), CertificateRejectedError, id="2: usage"
        ),
        pytest.param(milan(vek={"version": 0}), MalformedError, id="2: version of certificate"),
        pytest.param(milan(authority={"serial": 0}), MalformedError, id="2: authority's number"),
        pytest.param(
            milan(vek={"last": NOW - timedelta(seconds=1)}),
            CertificateTimeRejectedError,
            id="2: expired",
        ),
        pytest.param(
            milan(ark={"first": NOW + timedelta(seconds=1)}),
            CertificateTimeRejectedError,
            id="2: root is not yet valid",
        ),
        pytest.param(milan(vek={"name": "SEV-VLEK"}), CertificateRejectedError, id="3: kind"),
        pytest.param(milan(ark={"name": "ARK-Genoa"}), CertificateRejectedError, id="3: root"),
        pytest.param(
            milan(authority={"name": "SEV-VLEK-Milan"}), CertificateRejectedError, id="3: authority"
        ),
        pytest.param(of(MILAN, key_info=4), SigningKeyRejectedError, id="4: says vlek"),
        pytest.param(of(VLEK, key_info=0), SigningKeyRejectedError, id="4: says vcek"),
        pytest.param(of(MILAN, key_info=2), SigningKeyRejectedError, id="4: masked"),
        pytest.param(of(MILAN, key_info=7 << 2), SigningKeyRejectedError, id="4: none"),
        pytest.param(with_extensions(e2=text("Genoa")), ProductRejectedError, id="5: product"),
        pytest.param(with_extensions(e2=None), MalformedError, id="5: no product"),
        pytest.param(
            of(MILAN, processor=bytes([0x19, 0x11, 1])), ProductRejectedError, id="5: processor"
        ),
        pytest.param(
            of(MILAN, processor=bytes([0x1B, 0, 0])), ProductRejectedError, id="5: unknown"
        ),
        pytest.param(with_extensions(e4=None), ChipRejectedError, id="6: no chip"),
        pytest.param(with_extensions(e5=text(OPERATOR)), ChipRejectedError, id="6: both"),
        pytest.param(with_extensions(kind="vlek", e5=None), ChipRejectedError, id="6: no operator"),
        pytest.param(
            with_extensions(kind="vlek", e4=CHIP), ChipRejectedError, id="6: operator with a chip"
        ),
        pytest.param(of(MILAN, chip_id=CHIP[::-1]), ChipRejectedError, id="6: another chip"),
        pytest.param(of(TURIN, chip_id=CHIP), ChipRejectedError, id="6: more than turin's"),
        pytest.param(
            of(MILAN, reported_tcb=bytes([4, 0, 0, 0, 0, 0, 27, 221])),
            TcbMismatchError,
            id="7: ucode",
        ),
        pytest.param(with_extensions(e3_1=integer(5)), TcbMismatchError, id="7: bl"),
        pytest.param(with_extensions(e3_2=integer(1)), TcbMismatchError, id="7: tee"),
        pytest.param(with_extensions(e3_3=integer(28)), TcbMismatchError, id="7: snp"),
        pytest.param(with_extensions("Turin", e3_9=integer(0)), TcbMismatchError, id="7: fmc"),
        pytest.param(
            of(MILAN, reported_tcb=bytes([4, 0, 1, 0, 0, 0, 27, 222])),
            MalformedError,
            id="7: reserved",
        ),
        pytest.param(
            lambda: authenticated(
                report=MILAN.report(signature=MILAN.sign(MILAN.body(guest_svn=3)))
            ),
            SignatureRejectedError,
            id="8: another report's",
        ),
        pytest.param(
            lambda: authenticated(report=FakeAmd("Milan", keys=OTHER).report()),
            SignatureRejectedError,
            id="8: another key's",
        ),
        pytest.param(
            lambda: authenticated(report=MILAN.report(signature=bytes(512))),
            SignatureRejectedError,
            id="8: zeros",
        ),
        pytest.param(listed(List(revoked=(65537,))), CertificateRevokedError, id="9: authority"),
        pytest.param(
            listed(List(revoked=(5,)), FakeAmd("Milan", vek={"serial": 5})),
            CertificateRevokedError,
            id="9: chip",
        ),
        pytest.param(
            listed(List(last=NOW - timedelta(seconds=1))), CrlRejectedError, id="9: expired"
        ),
        pytest.param(
            listed(List(first=NOW + timedelta(seconds=1))), CrlRejectedError, id="9: early"
        ),
        pytest.param(listed(signer="authority"), CrlRejectedError, id="9: signer"),
        pytest.param(listed(issuer="SEV-Milan"), CrlRejectedError, id="9: issuer"),
        pytest.param(listed(List(hash=SHA256())), CrlRejectedError, id="9: sha-256"),
        pytest.param(
            listed(vendor=FakeAmd("Milan", ark={"signs_lists": False})),
            CrlRejectedError,
            id="9: a root that signs none",
        ),
        pytest.param(of(MILAN, current_tcb=b"\xff" * 8), MalformedError, id="10: current"),
        pytest.param(of(MILAN, committed_tcb=b"\xff" * 8), MalformedError, id="10: committed"),
        pytest.param(of(TURIN, launch_tcb=b"\xff" * 8), MalformedError, id="10: launch"),
    ],
)
def test_each_broken_step_is_refused(
    broken: Callable[[], SnpClaims], reason: type[AdytonError]
) -> None:
    with pytest.raises(reason):
        broken()


def test_a_list_that_revokes_others_says_from_when_to_when_it_speaks() -> None:
    crl = MILAN.crl(List(revoked=(1, 2, 3)))
    claims = authenticated(collateral=MILAN.collateral(crl=crl))
    assert claims.crl is not None
    assert claims.crl.first == NOW - timedelta(days=10)
    assert claims.crl.last == NOW + timedelta(days=20)


def test_a_host_may_mask_the_name_of_its_chip() -> None:
    claims = authenticated(report=MILAN.report(chip_id=bytes(64)))
    assert claims.report.chip_id == bytes(64)
    assert claims.vek.hwid == CHIP


def test_an_operators_report_may_name_a_chip() -> None:
    assert authenticated(VLEK).report.chip_id == CHIP


def test_reports_and_certificates_of_other_generations_do_not_mix() -> None:
    for one in PROCESSORS:
        for other in PROCESSORS:
            if one != other:
                with pytest.raises(AdytonError):
                    mixed(FakeAmd(one), FakeAmd(other))()


@pytest.mark.parametrize(
    ("family", "model", "name"),
    [
        (0x19, 0x00, "Milan"),
        (0x19, 0x0F, "Milan"),
        (0x19, 0x10, "Genoa"),
        (0x19, 0x1F, "Genoa"),
        (0x19, 0xA0, "Genoa"),
        (0x19, 0xAF, "Genoa"),
        (0x1A, 0x00, "Turin"),
        (0x1A, 0x1F, "Turin"),
        (0x19, 0x20, None),
        (0x1A, 0x20, None),
        (0x17, 0x00, None),
    ],
)
def test_a_processor_is_of_one_generation_or_of_none(
    family: int, model: int, name: str | None
) -> None:
    if name is None:
        with pytest.raises(ProductRejectedError):
            Generation.of_processor(family, model)
    else:
        assert Generation.of_processor(family, model) == name


def test_only_a_pinned_digest_makes_a_platform_genuine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not authenticated(roots={"amd-milan": MILAN.roots["fake"]}).is_genuine
    monkeypatch.setattr(module, "AMD_ROOTS", {"amd-milan": MILAN.roots["fake"]})
    assert authenticated(roots={"by any name": MILAN.roots["fake"]}).is_genuine


def test_a_cache_changes_nothing_but_the_time() -> None:
    cache, report = PathCache(), MILAN.report()
    first = authenticated(report=report, cache=cache)
    assert authenticated(report=report, cache=cache) == first == authenticated(report=report)
    with pytest.raises(CertificateTimeRejectedError):
        authenticated(cache=cache, at=NOW + timedelta(days=301))
    with pytest.raises(SignatureRejectedError):
        authenticated(report=MILAN.report(signature=bytes(512)), cache=cache)
    with pytest.raises(RootRejectedError):
        authenticated(roots={}, cache=cache)


def test_the_same_signed_body_is_the_same_evidence() -> None:
    one, other = MILAN.report(), MILAN.report()
    assert one != other
    assert authenticated(report=one).signed_sha256 == authenticated(report=other).signed_sha256


def test_the_other_of_two_valid_signatures_is_the_same_evidence() -> None:
    order = int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        16,
    )
    report = MILAN.report()
    s = order - int.from_bytes(report[0x2A0 + 72 : 0x2A0 + 144], "little")
    twin = report[: 0x2A0 + 72] + s.to_bytes(72, "little") + report[0x2A0 + 144 :]
    first, second = authenticated(report=report), authenticated(report=twin)
    assert first.signed_sha256 == second.signed_sha256


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"policy": 0xB0000}, "debug-mode"),
        ({"policy": 0x70000}, "guest-migratable"),
        ({"report_id_ma": bytes(31) + b"\1"}, "guest-migratable"),
        ({"policy": 0x30000 | 1 << 26}, "guest-policy-unknown"),
        ({"policy": 0x30000 | 1 << 63}, "guest-policy-unknown"),
        ({"vmpl": 0xFFFFFFFF}, "report-by-host"),
    ],
)
def test_each_thing_against_a_guest_is_a_finding(changes: dict[str, Any], code: str) -> None:
    claims = authenticated(report=MILAN.report(**changes))
    assert [finding.code for finding in findings(claims.report)] == [code]


def test_what_does_not_speak_against_a_guest_is_no_finding() -> None:
    every = 0x20000 | 1 << 16 | 0xFFFF | 0b111111 << 20
    report = MILAN.report(policy=every, vmpl=3, report_id_ma=bytes(32))
    assert findings(authenticated(report=report).report) == ()
