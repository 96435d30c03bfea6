from typing import Any

import pytest
from tests.fakes.tokens import HELD, KINDS, NONCE, NOW, SERVICES

from adyton.evidence.token.authenticate import authenticate
from adyton.evidence.token.claims import claims_of
from adyton.evidence.token.services import Service
from adyton.model.claims import Claims, Platform, Technology


def of(service: Service, kind: str = "", *, pinned: bool = True, **changes: Any) -> Claims:
    fake = SERVICES[service]
    return claims_of(
        authenticate(
            fake.mint(kind, **changes),
            issuer=fake.issuer,
            collateral=fake.collateral(),
            roots=fake.pinned() if pinned and fake is not GOOGLE else fake.roots,
            at=NOW,
        )
    )


GOOGLE = SERVICES[Service.GOOGLE_CONFIDENTIAL_SPACE]


@pytest.mark.parametrize(("service", "kind"), KINDS)
def test_a_service_vouches_for_its_token_and_no_hardware_does(service: Service, kind: str) -> None:
    claims = of(service, kind)
    assert claims.technology is Technology(service.value)
    is_pinned = service is not Service.GOOGLE_CONFIDENTIAL_SPACE
    assert claims.platform is (Platform(service.value) if is_pinned else Platform.INSECURE)
    assert claims.configuration == ()
    assert (claims.public_key, claims.issued) != (None, None)
    assert claims.to_json()["details"] == {**claims.details}


def test_a_chain_to_a_root_that_no_service_publishes_is_insecure() -> None:
    assert of(Service.NVIDIA_NRAS, pinned=False).platform is Platform.INSECURE


def test_a_trust_domains_registers_go_by_the_names_of_its_own_evidence() -> None:
    claims = of(Service.INTEL_TRUST_AUTHORITY, "TDX", attester_tcb_status="OUT_OF_DATE")
    assert {"mr_td", "rtmr0", "mr_seam"} <= claims.measurements.keys()
    assert claims.nonce == NONCE
    assert claims.tcb is not None
    assert (claims.tcb.status, len(claims.tcb.advisories)) == ("OutOfDate", 2)
    assert not claims.tcb.is_revocation_checked
    reported = claims.details["reported"]
    assert isinstance(reported, dict)
    assert (reported["tee"], reported["held_data"]) == ("tdx", HELD.hex())


def test_of_several_nonces_none_is_the_nonce() -> None:
    claims = of(Service.GOOGLE_CONFIDENTIAL_SPACE)
    assert claims.nonce is None
    assert claims.tcb is None
    assert claims.details["audience"] == ["https://relying.example"]
    one = of(Service.GOOGLE_CONFIDENTIAL_SPACE, eat_nonce="a nonce of mine")
    assert one.nonce == b"a nonce of mine"


def test_debug_mode_is_debug_mode() -> None:
    assert of(Service.INTEL_TRUST_AUTHORITY, dbgstat="enabled").is_debug
