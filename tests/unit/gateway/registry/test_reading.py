"""What is sent to the registry is read strictly, and all that a caller chooses has a limit."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from tests.fakes.registrant import Machine, Registrant
from tests.fakes.worker import manifest

from adyton.adapters.store.registry_reader import Wanted
from adyton.codec.text import to_base64
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.evidence.collateral import Collateral
from adyton.gateway.registry.reading import (
    read_application,
    read_candidates,
    read_drawing,
    read_heartbeat,
    read_page,
    read_reason,
    read_worker,
)
from adyton.model.registry import Beat, State

NOW = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
CHALLENGE = to_base64(bytes(32))
SEED = "00" * 32
COLLATERAL = {"version": "adyton/collateral/v1"}


@pytest.fixture
async def registrant(tmp_path: Path) -> Registrant:
    return Registrant(Machine(tmp_path, lambda: NOW))


def asked(query: str, **path: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "path_params": path})


async def test_an_application_is_read(registrant: Registrant) -> None:
    body = await registrant.application(CHALLENGE)
    application = read_application(json.dumps({**body, "collateral": COLLATERAL}).encode())
    assert application.manifest == registrant.manifest
    assert application.exhibit.manifest == registrant.manifest.to_bytes()
    assert application.registration.manifest_sha256 == sha256(registrant.manifest.to_bytes())
    assert Collateral.from_bytes(application.exhibit.collateral).to_json() == COLLATERAL


async def test_a_registration_without_evidence_has_no_digest_of_it(registrant: Registrant) -> None:
    body = await registrant.application(CHALLENGE, attested=False)
    assert read_application(json.dumps(body).encode()).registration.evidence_sha256 == b""


BROKEN: list[tuple[str, Any]] = [
    ("endpoint", "http://worker.example"),
    ("endpoint", "https://user@worker.example"),
    ("endpoint", "https://worker.example/?q=1"),
    ("endpoint", "https://worker.example/#fragment"),
    ("endpoint", "https://\u212aelvin.example"),
    ("endpoint", "https://worker.example/" + "a" * 256),
    ("challenge", to_base64(bytes(31))),
    ("signature", to_base64(bytes(63))),
    ("evidence", ""),
    ("evidence", "AAA"),
    ("evidence", to_base64(bytes(256 * 1024 + 1))),
    ("manifest", {}),
    ("manifest", {**manifest().to_json(), "unknown": 1}),
    ("collateral", []),
    ("collateral", {"version": "adyton/collateral/v9"}),
    ("unknown", 1),
]


@pytest.mark.parametrize(
    ("name", "value"), BROKEN, ids=[f"{n} {name}" for n, (name, _) in enumerate(BROKEN)]
)
async def test_an_application_is_read_strictly(
    registrant: Registrant, name: str, value: Any
) -> None:
    body = {**await registrant.application(CHALLENGE), name: value}
    with pytest.raises(MalformedError):
        read_application(json.dumps(body).encode())


async def test_collateral_is_for_evidence(registrant: Registrant) -> None:
    body = await registrant.application(CHALLENGE, attested=False)
    with pytest.raises(MalformedError, match="no evidence"):
        read_application(json.dumps({**body, "collateral": COLLATERAL}).encode())


async def test_a_heartbeat_is_read(registrant: Registrant) -> None:
    body = registrant.heartbeat(NOW, Beat.DRAINING)
    beaten = read_heartbeat(registrant.id, json.dumps(body).encode())
    assert beaten.heartbeat.state is Beat.DRAINING
    assert beaten.heartbeat.worker == registrant.id


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "suspended"),
        ("state", 1),
        ("state", []),
        ("time", 0),
        ("time", 2**53),
        ("time", 1.5),
        ("signing_key", ""),
        ("unknown", 1),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_heartbeat_is_read_strictly(registrant: Registrant, name: str, value: Any) -> None:
    body = {**registrant.heartbeat(NOW), name: value}
    with pytest.raises(MalformedError):
        read_heartbeat(registrant.id, json.dumps(body).encode())


@pytest.mark.parametrize(
    "query",
    [
        "state=gone",
        "limit=0",
        "limit=101",
        "limit=%D9%A1",
        "limit=1&limit=2",
        "after=00",
        "measurement=00",
        "measurement=pcr0:xyz",
        "measurement=pcr0:",
        "measurement=:00",
        "measurement=a%20b:00",
        f"measurement=pcr0:{'00' * 65}",
        "technology=TDX%27--",
        f"technology={'a' * 33}",
        "attested=false",
        "owner=me",
    ],
)
def test_a_page_is_read_strictly(query: str) -> None:
    with pytest.raises(MalformedError):
        read_page(asked(query))


def test_a_page_is_a_hundred_of_all(registrant: Registrant) -> None:
    page = read_page(asked(""))
    assert (page.wanted, page.limit, page.after) == (Wanted(), 100, "")


def test_candidates_are_active() -> None:
    assert read_candidates(asked("attested=true")) == Wanted(state=State.ACTIVE, genuine=True)
    with pytest.raises(MalformedError):
        read_candidates(asked("state=draining"))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "seed=00",
        f"seed={'00' * 65}",
        f"seed={SEED}&count=17",
        f"seed={SEED}&count=0",
        f"seed={SEED}&seed={SEED}",
        f"seed={SEED}&candidates_sha256=xx",
        f"seed={SEED}&state=active",
    ],
)
def test_a_draw_is_read_strictly(query: str) -> None:
    with pytest.raises(MalformedError):
        read_drawing(asked(query))


@pytest.mark.parametrize("name", ["", "short", "G" * 64, "A" * 64, "0" * 65])
def test_a_workers_name_is_a_digest(name: str) -> None:
    with pytest.raises(MalformedError):
        read_worker(asked("", id=name))


@pytest.mark.parametrize("reason", ["", "a\nb", "x" * 201, None, 1])
def test_a_reason_is_short_and_of_one_line(reason: Any) -> None:
    with pytest.raises(MalformedError):
        read_reason(json.dumps({"reason": reason}).encode())


@given(st.binary(max_size=200), st.text(max_size=80))
def test_any_bytes_are_read_or_malformed(body: bytes, query: str) -> None:
    for read in (read_application, read_reason, lambda data: read_heartbeat("0" * 64, data)):
        with suppress(MalformedError):
            read(body)
    for reading in (read_page, read_drawing, read_candidates):
        with suppress(MalformedError):
            reading(asked(query))
