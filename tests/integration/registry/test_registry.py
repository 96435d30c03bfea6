"""The registry over HTTP: who gets in, who stays in, and what a hostile caller can't do."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from tests.fakes.registrant import ENDPOINT, Registrant

from adyton.adapters.store import Scope
from adyton.adapters.store.schema import registry_workers
from adyton.codec.text import from_base64, to_base64
from adyton.crypto.draw import candidates_digest, draw
from adyton.errors import UnavailableError
from adyton.evidence.collateral import NO_COLLATERAL
from adyton.gateway.registry.documents import (
    CandidateList,
    SelectionDocument,
    ShownWorkerDocument,
    WorkerDocument,
    WorkerList,
)
from adyton.gateway.registry.settings import Unattested
from adyton.model.claims import Platform
from adyton.model.registry import Beat

WORKERS = "/v1/registry/workers"
SEED = "00" * 32


def refused(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_a_worker_registers_with_evidence(gateway: Any, fleet: Any) -> None:
    worker = fleet.worker()
    body = (await fleet.register(worker)).json()
    WorkerDocument.model_validate(body)
    assert (body["id"], body["endpoint"], body["state"]) == (worker.id, ENDPOINT, "active")
    attestation = body["attestation"]
    assert (attestation["technology"], attestation["platform"]) == ("nitro", "insecure")
    assert attestation["measurements"]["pcr0"] == gateway.machine.platform.registers[0].hex()


async def test_anybody_can_verify_a_registered_worker_again(gateway: Any, fleet: Any) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    async with gateway.client() as stranger:
        body = (await stranger.get(f"{WORKERS}/{worker.id}")).json()
    ShownWorkerDocument.model_validate(body)
    verdict, claims = await gateway.appraiser.worker(
        worker.manifest,
        from_base64(body["evidence"], "evidence", limit_bytes=10_000),
        challenge=from_base64(body["challenge"], "challenge", limit_bytes=64),
        collateral=NO_COLLATERAL,
        policy=gateway.machine.policy,
        at=gateway.time.now,
    )
    assert verdict.accepted
    assert claims is not None
    assert claims.signed_sha256.hex() == body["attestation"]["signed_sha256"]
    assert body["manifest"] == worker.manifest.to_json()


async def test_a_development_root_makes_no_attested_worker(gateway: Any, fleet: Any) -> None:
    body = (await fleet.register(fleet.worker())).json()
    assert (body["attested"], body["weight"]) == (False, 1)
    gateway.appraiser.changes = {"platform": Platform.NITRO}
    body = (await fleet.register(fleet.worker())).json()
    assert (body["attested"], body["weight"]) == (True, 2)


async def test_a_services_word_is_no_hardware_that_attests(gateway: Any, fleet: Any) -> None:
    for platform in (item for item in Platform if item.is_service):
        gateway.appraiser.changes = {"platform": platform}
        body = (await fleet.register(fleet.worker())).json()
        assert (body["attested"], body["weight"]) == (False, 1)


@pytest.mark.parametrize(
    ("hours", "expected"), [(240, 24), (5, 5)], ids=["a day", "less, by its certificates"]
)
async def test_evidence_counts_for_a_day_at_most(
    gateway: Any, fleet: Any, hours: int, expected: int
) -> None:
    gateway.appraiser.changes = {"last": gateway.time.now + timedelta(hours=hours)}
    worker = fleet.worker()
    await fleet.register(worker)
    gateway.time.pass_by(expected * 3600 - 1)
    await fleet.beat(worker)
    assert await fleet.state(worker) == "active"
    gateway.time.pass_by(1)
    assert await fleet.state(worker) == "attestation-expired"
    assert (await fleet.beat(worker)).json()["state"] == "attestation-expired"
    assert (await fleet.register(worker)).json()["state"] == "active"


async def test_registering_wants_its_scope(gateway: Any, fleet: Any) -> None:
    application = await fleet.worker().application(await fleet.challenge())
    others = [scope for scope in Scope if scope is not Scope.REGISTER]
    for key, expected in ((None, 401), (await gateway.stored_key(*others), 403)):
        async with gateway.client(key) as client:
            for path in (WORKERS, "/v1/registry/challenges", f"{WORKERS}/{'0' * 64}/heartbeats"):
                assert (await client.post(path, json=application)).status_code == expected


async def test_only_the_operator_suspends(gateway: Any, fleet: Any) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    others = [scope for scope in Scope if scope is not Scope.OPERATE]
    async with gateway.client(await gateway.stored_key(*others)) as client:
        for action in ("suspend", "reinstate"):
            response = await client.post(f"{WORKERS}/{worker.id}/{action}", json={"reason": "x"})
            assert refused(response) == (403, "scope-missing")
    assert await fleet.state(worker) == "active"


async def test_nobody_takes_anothers_place(gateway: Any, fleet: Any) -> None:
    # The thief has the manifest and a fresh challenge, which are public, and not the key.
    worker = fleet.worker()
    await fleet.register(worker)
    thief = fleet.worker()
    thief.manifest = worker.manifest
    other = await gateway.fleet(Scope.REGISTER)
    async with other.client:
        response = await other.register(thief, endpoint="https://thief.example")
    assert refused(response) == (403, "signature-rejected")
    body = (await fleet.client.get(f"{WORKERS}/{worker.id}")).json()
    assert body["endpoint"] == ENDPOINT


async def test_nobody_registers_anothers_evidence_as_their_own_address(fleet: Any) -> None:
    application = await fleet.worker().application(await fleet.challenge())
    changed = {**application, "endpoint": "https://thief.example"}
    assert refused(await fleet.post(changed)) == (403, "signature-rejected")
    # The challenge was not used up by somebody who could not sign.
    assert (await fleet.post(application)).status_code == 200


async def test_evidence_of_another_worker_is_no_evidence(fleet: Any) -> None:
    challenge = await fleet.challenge()
    stolen = await fleet.worker().evidence(from_base64(challenge, "challenge", limit_bytes=64))
    response = await fleet.post(await fleet.worker().application(challenge, evidence=stolen))
    assert refused(response) == (403, "evidence-refused")
    assert "report-data-mismatch" in response.json()["detail"]


async def test_evidence_over_another_challenge_is_refused(fleet: Any) -> None:
    worker = fleet.worker()
    old = await worker.evidence(bytes(32))
    response = await fleet.register(worker, evidence=old)
    assert refused(response) == (403, "evidence-refused")


async def test_evidence_cannot_be_left_out_on_the_way(start: Any) -> None:
    gateway = start(unattested=Unattested.ACCEPTED)
    fleet = await gateway.fleet(Scope.REGISTER)
    async with fleet.client:
        application = await fleet.worker().application(await fleet.challenge())
        del application["evidence"]
        assert refused(await fleet.post(application)) == (403, "signature-rejected")


async def test_a_challenge_is_its_owners_for_five_minutes_and_one_use(
    gateway: Any, fleet: Any
) -> None:
    other = await gateway.fleet(Scope.REGISTER)
    worker = fleet.worker()
    application = await worker.application(await fleet.challenge())
    async with other.client:
        assert refused(await other.post(application)) == (403, "challenge-rejected")
    assert (await fleet.post(application)).status_code == 200
    assert refused(await fleet.post(application)) == (403, "challenge-rejected")
    late = await worker.application(await fleet.challenge())
    gateway.time.pass_by(300)
    assert refused(await fleet.post(late)) == (403, "challenge-rejected")


async def test_evidence_with_the_same_signed_body_registers_once(gateway: Any, fleet: Any) -> None:
    # Two files, as if one of them had a byte changed that nobody signed.
    gateway.appraiser.changes = {"signed_sha256": bytes(32)}
    worker = fleet.worker()
    assert (await fleet.register(worker)).status_code == 200
    assert refused(await fleet.register(worker)) == (403, "evidence-replayed")
    assert refused(await fleet.register(fleet.worker())) == (403, "evidence-replayed")


async def test_of_two_registrations_with_one_challenge_one_is_admitted(fleet: Any) -> None:
    application = await fleet.worker().application(await fleet.challenge())
    done = await asyncio.gather(*(fleet.post(application) for _ in range(4)))
    assert sorted(response.status_code for response in done) == [200, 403, 403, 403]


async def test_evidence_that_the_policy_refuses_says_why(gateway: Any, fleet: Any) -> None:
    gateway.machine.platform._registers = {
        **gateway.machine.platform.registers,
        0: bytes([1]) * 48,
    }
    response = await fleet.register(fleet.worker())
    assert refused(response) == (403, "evidence-refused")
    assert "measurement" in response.json()["detail"]
    assert (await fleet.client.get(WORKERS)).json() == {"workers": []}


async def test_no_verdict_admits_nobody(gateway: Any, fleet: Any) -> None:
    gateway.appraiser.error = UnavailableError("no verdict")
    assert (await fleet.register(fleet.worker())).status_code == 503
    assert (await fleet.client.get(WORKERS)).json() == {"workers": []}


async def test_without_a_policy_no_evidence_is_accepted(start: Any) -> None:
    gateway = start(policy=None)
    fleet = await gateway.fleet(Scope.REGISTER)
    async with fleet.client:
        response = await fleet.register(fleet.worker())
        assert refused(response) == (503, "registry-without-policy")
        response = await fleet.register(fleet.worker(), attested=False)
        assert refused(response) == (403, "evidence-required")


async def test_workers_without_evidence_are_registered_where_the_operator_lets_them(
    start: Any,
) -> None:
    gateway = start(unattested=Unattested.ACCEPTED)
    fleet = await gateway.fleet(Scope.REGISTER)
    async with fleet.client:
        plain, attested = fleet.worker(), fleet.worker()
        body = (await fleet.register(plain, attested=False)).json()
        assert (body["attestation"], body["attested"], body["weight"]) == (None, False, 1)
        gateway.appraiser.changes = {"platform": Platform.NITRO}
        assert (await fleet.register(attested)).json()["weight"] == 2
        response = await fleet.register(attested, attested=False)
        assert refused(response) == (403, "evidence-required")


async def test_a_key_registers_as_many_as_it_may(start: Any) -> None:
    gateway = start(key_workers=2, workers=3)
    one, two = await gateway.fleet(Scope.REGISTER), await gateway.fleet(Scope.REGISTER)
    async with one.client, two.client:
        for _ in range(2):
            assert (await one.register(one.worker())).status_code == 200
        assert refused(await one.register(one.worker())) == (403, "registry-full")
        assert (await two.register(two.worker())).status_code == 200
        assert refused(await two.register(two.worker())) == (403, "registry-full")


async def test_a_heartbeat_says_what_the_worker_does(gateway: Any, fleet: Any) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    for state in (Beat.DRAINING, Beat.OFFLINE, Beat.ACTIVE):
        gateway.time.pass_by(1)
        assert (await fleet.beat(worker, state=state)).json() == {
            "id": worker.id,
            "state": state.value,
        }
        assert await fleet.state(worker) == state.value


async def test_who_says_nothing_for_90_seconds_is_offline(gateway: Any, fleet: Any) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    gateway.time.pass_by(90)
    assert await fleet.state(worker) == "active"
    gateway.time.pass_by(1)
    assert await fleet.state(worker) == "offline"
    assert (await fleet.beat(worker)).json()["state"] == "active"


async def test_nobody_beats_for_another(fleet: Any) -> None:
    worker, other = fleet.worker(), fleet.worker()
    await fleet.register(worker)
    path = f"{WORKERS}/{worker.id}/heartbeats"
    body = other.heartbeat(fleet.gateway.time.now, Beat.OFFLINE, worker=worker.id)
    assert refused(await fleet.client.post(path, json=body)) == (400, "malformed")
    body["signing_key"] = to_base64(worker.key.public)
    assert refused(await fleet.client.post(path, json=body)) == (403, "signature-rejected")
    # A heartbeat of one's own, sent to another's path.
    body = other.heartbeat(fleet.gateway.time.now, Beat.OFFLINE)
    assert refused(await fleet.client.post(path, json=body)) == (400, "malformed")
    assert await fleet.state(worker) == "active"


@pytest.mark.parametrize("seconds", [-61, 61], ids=["kept back", "made ahead"])
async def test_a_heartbeat_counts_at_its_time(gateway: Any, fleet: Any, seconds: int) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    made = worker.heartbeat(gateway.time.now + timedelta(seconds=seconds))
    path = f"{WORKERS}/{worker.id}/heartbeats"
    assert refused(await fleet.client.post(path, json=made)) == (403, "heartbeat-out-of-time")


async def test_a_heartbeat_counts_once(gateway: Any, fleet: Any) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    made = worker.heartbeat(gateway.time.now)
    path = f"{WORKERS}/{worker.id}/heartbeats"
    assert (await fleet.client.post(path, json=made)).status_code == 200
    gateway.time.pass_by(30)
    assert refused(await fleet.client.post(path, json=made)) == (403, "heartbeat-replayed")


@pytest.mark.parametrize("change", ["state", "time"])
async def test_a_changed_heartbeat_is_refused(gateway: Any, fleet: Any, change: str) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    made = worker.heartbeat(gateway.time.now)
    made[change] = "offline" if change == "state" else made[change] + 1
    path = f"{WORKERS}/{worker.id}/heartbeats"
    assert refused(await fleet.client.post(path, json=made)) == (403, "signature-rejected")


async def test_a_suspended_worker_comes_back_by_the_operator_and_new_evidence(
    gateway: Any, fleet: Any
) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    path = f"{WORKERS}/{worker.id}"
    done = await fleet.client.post(f"{path}/suspend", json={"reason": "its host was seized"})
    assert done.json() == {"id": worker.id, "state": "suspended"}
    assert (await fleet.client.get(path)).json()["reason"] == "its host was seized"
    gateway.time.pass_by(1)
    assert (await fleet.beat(worker)).json()["state"] == "suspended"
    assert refused(await fleet.register(worker)) == (403, "transition-rejected")
    again = await fleet.client.post(f"{path}/suspend", json={"reason": "x"})
    assert refused(again) == (403, "transition-rejected")
    done = await fleet.client.post(f"{path}/reinstate")
    assert done.json()["state"] == "attestation-expired"
    assert (await fleet.register(worker)).json()["state"] == "active"


async def test_evidence_is_verified_again_under_the_policy_of_today(
    gateway: Any, fleet: Any, start: Any
) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    gateway.time.pass_by(3600)
    await fleet.beat(worker)
    await gateway.keeper.tend(gateway.time.now)
    assert gateway.keeper.verified == 0
    gateway.time.pass_by(1)
    await gateway.keeper.tend(gateway.time.now)
    assert (gateway.keeper.verified, gateway.keeper.refused) == (1, 0)
    assert await fleet.state(worker) == "active"
    # The same evidence is an hour old by now: its age is the registry's matter, not the policy's.
    policy = gateway.machine.policy
    stricter = replace(policy, named_roots={"another": bytes(32)})
    gateway.keeper.admission = replace(
        gateway.admission, settings=replace(gateway.admission.settings, policy=stricter)
    )
    gateway.time.pass_by(3601)
    await gateway.keeper.tend(gateway.time.now)
    assert (gateway.keeper.verified, gateway.keeper.refused) == (2, 1)
    body = (await fleet.client.get(f"{WORKERS}/{worker.id}")).json()
    assert (body["state"], body["attested"]) == ("untrusted", False)
    assert body["reason"] == "root-rejected"
    assert (await fleet.beat(worker)).json()["state"] == "untrusted"


async def test_no_answer_takes_no_trust_and_gives_none(gateway: Any, fleet: Any) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    gateway.time.pass_by(3601)
    await fleet.beat(worker)
    gateway.appraiser.error = UnavailableError("no verdict")
    await gateway.keeper.tend(gateway.time.now)
    assert await fleet.state(worker) == "active"
    gateway.appraiser.error = None
    judged = gateway.appraiser.judged
    await gateway.keeper.tend(gateway.time.now)
    assert gateway.appraiser.judged == judged + 1


async def test_what_cannot_be_read_any_more_is_not_trusted(gateway: Any, fleet: Any) -> None:
    # One worker of an earlier version must not keep the others from being verified.
    old, new = fleet.worker(), fleet.worker()
    for worker in (old, new):
        await fleet.register(worker)
    async with gateway.store.engine.begin() as connection:
        changed = update(registry_workers).where(registry_workers.c.id == old.id)
        await connection.execute(changed.values(manifest=b"{}"))
    gateway.time.pass_by(3601)
    for worker in (old, new):
        await fleet.beat(worker)
    await gateway.keeper.tend(gateway.time.now)
    assert (gateway.keeper.verified, gateway.keeper.refused) == (2, 1)
    assert await fleet.state(new) == "active"
    (listed,) = (await fleet.client.get(f"{WORKERS}?state=untrusted")).json()["workers"]
    assert (listed["id"], listed["reason"]) == (old.id, "malformed")


async def test_the_keeper_counts_and_forgets(gateway: Any, fleet: Any) -> None:
    await fleet.register(fleet.worker())
    await gateway.keeper.tend(gateway.time.now)
    readings = {name: read() for (name, _), read in gateway.keeper.gauges.items()}
    assert readings["adyton_registry_active"] == 1
    gateway.time.pass_by(31 * 86400)
    await gateway.keeper.tend(gateway.time.now)
    readings = {name: read() for (name, _), read in gateway.keeper.gauges.items()}
    assert set(readings.values()) == {0}
    assert gateway.keeper.forgotten == 1


async def test_workers_are_found_by_state_technology_and_measurement(
    gateway: Any, fleet: Any
) -> None:
    first, second = sorted((fleet.worker(), fleet.worker()), key=lambda worker: worker.id)
    for worker in (first, second):
        await fleet.register(worker)
    gateway.time.pass_by(1)
    await fleet.beat(second, state=Beat.DRAINING)
    register = gateway.machine.platform.registers[0].hex()

    async def found(query: str) -> list[str]:
        async with gateway.client() as stranger:
            body = (await stranger.get(f"{WORKERS}?{query}")).json()
        WorkerList.model_validate(body)
        return [worker["id"] for worker in body["workers"]]

    both = [first.id, second.id]
    assert await found("") == both
    assert await found("state=draining") == [second.id]
    assert await found("technology=nitro") == both
    assert await found("technology=tdx") == []
    assert await found(f"measurement=pcr0:{register}") == both
    assert await found(f"measurement=pcr0:0x{register.upper()}&state=active") == [first.id]
    assert await found(f"measurement=pcr1:{register}") == []
    assert await found("attested=true") == []
    assert await found("limit=1") == [first.id]
    assert await found(f"after={first.id}") == [second.id]


async def test_a_worker_that_is_not_there_is_not_found(fleet: Any) -> None:
    path = f"{WORKERS}/{'0' * 64}"
    assert refused(await fleet.client.get(path)) == (404, "worker-unknown")
    response = await fleet.client.post(f"{path}/suspend", json={"reason": "x"})
    assert refused(response) == (404, "worker-unknown")
    worker = fleet.worker()
    assert refused(await fleet.beat(worker)) == (404, "worker-unknown")


async def test_a_draw_can_be_repeated_by_anybody(gateway: Any, fleet: Any) -> None:
    gateway.appraiser.changes = {"platform": Platform.NITRO}
    for _ in range(3):
        await fleet.register(fleet.worker())
    gateway.appraiser.changes = {}
    await fleet.register(fleet.worker())
    draining = fleet.worker()
    await fleet.register(draining)
    await fleet.beat(draining, state=Beat.DRAINING)
    async with gateway.client() as stranger:
        listed = (await stranger.get("/v1/registry/candidates")).json()
        expected = listed["candidates_sha256"]
        body = (
            await stranger.get(
                f"/v1/registry/selection?seed={SEED}&count=2&candidates_sha256={expected}"
            )
        ).json()
    CandidateList.model_validate(listed)
    SelectionDocument.model_validate(body)
    candidates = {item["id"]: item["weight"] for item in listed["candidates"]}
    assert sorted(candidates.values()) == [1, 2, 2, 2]
    assert draining.id not in candidates
    assert expected == candidates_digest(candidates).hex()
    drawn = tuple(worker["id"] for worker in body["selected"])
    assert drawn == draw(bytes.fromhex(SEED), candidates, count=2)
    assert body["candidates"] == listed["candidates"]


async def test_a_draw_over_another_list_is_refused(gateway: Any, fleet: Any) -> None:
    await fleet.register(fleet.worker())
    path = f"/v1/registry/selection?seed={SEED}&candidates_sha256="
    listed = (await fleet.client.get("/v1/registry/candidates")).json()["candidates_sha256"]
    assert (await fleet.client.get(path + listed)).status_code == 200
    await fleet.register(fleet.worker())
    assert refused(await fleet.client.get(path + listed)) == (403, "candidates-changed")


async def test_nobody_is_drawn_from_nobody(fleet: Any) -> None:
    body = (await fleet.client.get(f"/v1/registry/selection?seed={SEED}")).json()
    assert (body["candidates"], body["selected"]) == ([], [])


async def test_a_draw_is_among_those_that_are_wanted(gateway: Any, fleet: Any) -> None:
    await fleet.register(fleet.worker())
    path = f"/v1/registry/selection?seed={SEED}"
    assert len((await fleet.client.get(f"{path}&technology=nitro")).json()["selected"]) == 1
    assert (await fleet.client.get(f"{path}&technology=tdx")).json()["selected"] == []
    assert (await fleet.client.get(f"{path}&attested=true")).json()["selected"] == []


async def test_strangers_cannot_keep_the_store_busy(gateway: Any) -> None:
    async with gateway.client() as stranger:
        statuses = [(await stranger.get("/v1/registry/candidates")).status_code for _ in range(105)]
    assert statuses == [200] * 100 + [503] * 5


async def test_another_method_is_told_all_that_the_path_takes(fleet: Any) -> None:
    response = await fleet.client.delete(WORKERS)
    assert refused(response) == (405, "method-not-allowed")
    assert response.headers["allow"] == "GET, POST"


async def test_who_owns_a_worker_is_nobodys_business(fleet: Any) -> None:
    await fleet.register(fleet.worker())
    assert "owner" not in (await fleet.client.get(WORKERS)).text


async def test_a_worker_moves_with_its_key_to_another_fleet(gateway: Any, fleet: Any) -> None:
    worker = fleet.worker()
    await fleet.register(worker)
    other = await gateway.fleet(Scope.REGISTER)
    async with other.client:
        body = (await other.register(worker, endpoint="https://moved.example")).json()
    assert body["endpoint"] == "https://moved.example"
    assert len((await fleet.client.get(WORKERS)).json()["workers"]) == 1


async def test_metrics_have_no_label_that_a_caller_chose(gateway: Any, fleet: Any) -> None:
    worker: Registrant = fleet.worker()
    await fleet.register(worker)
    await fleet.client.get(f"{WORKERS}/{worker.id}")
    text = gateway.metrics.exposition().decode()
    assert worker.id not in text
    assert 'endpoint="/v1/registry/workers/{id}"' in text
