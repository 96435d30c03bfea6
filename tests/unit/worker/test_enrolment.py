"""What a worker signs for a registry is what a registry reads."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.fakes.workshop import Workshop

from adyton.crypto.hashing import sha256
from adyton.crypto.signing import check_signature
from adyton.errors import MalformedError
from adyton.gateway.registry.reading import read_application, read_heartbeat
from adyton.model.registry import HEARTBEAT_DOMAIN, REGISTRATION_DOMAIN, Beat
from adyton.worker.enrolment import Enrolment
from adyton.worker.identity import Attester, ChallengeMalformedError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder: Path = tmp_path_factory.mktemp("workshop")
    return Workshop.of(folder=folder, clock=lambda: NOW)


@pytest.fixture
def enrolment(workshop: Workshop) -> Enrolment:
    attester = Attester(manifest=workshop.manifest, platform=workshop.platform, clock=lambda: NOW)
    return Enrolment(attester=attester, signer=workshop.signing, clock=lambda: NOW)


async def test_an_application_is_signed_for_its_address(
    workshop: Workshop, enrolment: Enrolment
) -> None:
    application = read_application(await enrolment.apply(bytes(32), "https://worker.example"))
    assert application.manifest == workshop.manifest
    assert application.endpoint == "https://worker.example"
    assert application.exhibit.evidence
    check_signature(
        workshop.signing.public,
        REGISTRATION_DOMAIN,
        application.registration.to_bytes(),
        application.signature,
    )


@pytest.mark.parametrize("state", Beat)
def test_a_heartbeat_is_signed(workshop: Workshop, enrolment: Enrolment, state: Beat) -> None:
    name = sha256(workshop.signing.public).hex()
    beaten = read_heartbeat(name, enrolment.beat(state.value))
    assert beaten.heartbeat.state is state
    check_signature(
        beaten.signing_key, HEARTBEAT_DOMAIN, beaten.heartbeat.to_bytes(), beaten.signature
    )


def test_heartbeats_go_forward_while_the_clock_stands(
    workshop: Workshop, enrolment: Enrolment
) -> None:
    times = [read_heartbeat("0", enrolment.beat("active")).heartbeat.time for _ in range(3)]
    start = int(NOW.timestamp() * 1000)
    assert times == [start, start + 1, start + 2]


async def test_what_the_host_asks_for_is_read(enrolment: Enrolment) -> None:
    with pytest.raises(ChallengeMalformedError):
        await enrolment.apply(bytes(65), "https://worker.example")
    for endpoint in (None, b"x", "x" * 257):
        with pytest.raises(MalformedError):
            await enrolment.apply(bytes(32), endpoint)
    states: list[object] = [None, [], "suspended"]
    for state in states:
        with pytest.raises(MalformedError):
            enrolment.beat(state)
