"""``kill -9`` of notary, gateway and database at random points, under load.

A dozen times in every run of the tests. ``ADYTON_KILLS=1000`` is for a long evening; its outcome is
in docs/limitations.md. What holds in the end: every number once, none left out, no two proofs with
one predecessor, and every proof that was answered is the one that the ledger has.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator

import httpx
import pytest
from tests.fakes.notarized import NotarizedGateway
from tests.fakes.postgresql import Database, find_binaries, postgresql

from adyton.cli.hammering import Hammer, HammerLoad
from adyton.codec.javascript import Value
from adyton.ledger.proof import Proof
from adyton.ledger.walk import walk

KILLS = int(os.environ.get("ADYTON_KILLS", "12"))
SEED = int(os.environ.get("ADYTON_SEED", str(int(time.time()))))


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    if (binaries := find_binaries()) is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgresql(binaries) as url:
        yield Database(binaries, url)


def kill_one(stack: NotarizedGateway, database: Database | None, chance: random.Random) -> None:
    """Kill one process, and start it again; the notary ends by itself with its database."""
    # The notary most of all: it is the one with something to lose.
    names = ["notary"] * 8 + ["gateway"] + (["database"] if database else [])
    name = chance.choice(names)
    if name == "database" and database is not None:
        database.kill()
        database.start()
        stack.children["notary"].stop()
        stack.start("notary")
    else:
        stack.kill(name)
        stack.start(name)
    stack.wait()


async def hammered(stack: NotarizedGateway, database: Database | None, kills: int) -> Hammer:
    chance = random.Random(SEED)
    load = HammerLoad(writers=8, readers=2, digests=2, seconds=10**6)
    hammer = Hammer(url=stack.url, api_key=stack.key, load=load)
    running = asyncio.create_task(hammer.run())
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.0, 0.4))
        await asyncio.to_thread(kill_one, stack, database, chance)
        if running.done():
            break
    hammer.stop.set()
    await running
    return hammer


def check_all(stack: NotarizedGateway, hammer: Hammer) -> int:
    """Walk the whole ledger, and compare it with what was given; return how long it is."""
    with stack.client() as client:
        size = max(hammer.given)
        client.get(f"/v1/log/inclusion/{size}").raise_for_status()
        size = int(client.get("/v1/log/checkpoint").text.split("\n")[1])

        def proofs() -> Iterator[Value]:
            for number in range(1, size + 1):
                answer = client.get(f"/v1/log/proofs/{number}")
                assert answer.status_code == httpx.codes.OK, f"number {number} is left out"
                proof = Proof.from_bytes(answer.content)
                if number in hammer.given:
                    assert proof.hash() == hammer.given[number], f"proof {number} is another one"
                yield proof.document

        found = walk(proofs())
    assert found.is_complete, found.to_json()
    return size


@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("anchor", ["sqlite", "postgresql"])
def test_no_kill_loses_a_proof_or_gives_a_number_twice(
    anchor: str, request: pytest.FixtureRequest
) -> None:
    database: Database | None = None
    environ: dict[str, str] = {}
    if anchor == "postgresql":
        database = request.getfixturevalue("database")
        environ = {"ADYTON_ANCHORS": database.url, "DATABASE_URL": database.url}
    with NotarizedGateway(**environ) as stack:
        hammer = asyncio.run(hammered(stack, database, KILLS // 2))
        size = check_all(stack, hammer)
    assert size >= len(hammer.given) >= KILLS // 2
    print(  # noqa: T201  # what a long evening is remembered by
        f"{anchor}: seed {SEED}, {KILLS // 2} kills, {size} proofs, {hammer.retries} tries again"
    )
