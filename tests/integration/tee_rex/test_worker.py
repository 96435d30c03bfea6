"""A worker as TEE-Rex's clients use it: the real client seals, and a cell opens and proves.

The prover is a script that speaks for ``bb``: a real chain takes Aztec's kernels.
"""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.chonk import write_chonk
from tests.integration.delegation.conftest import Caller, calling, worker_process
from tests.integration.delegation.test_chains import STEPS
from tests.integration.jobs.conftest import ProvingGateway
from tests.integration.tee_rex.sealing import seal

from adyton.adapters.linked_errors import LinkedMalformedError, LinkedRejectedError
from adyton.adapters.store import open_store
from adyton.codec.text import from_base64, to_base64

pytest.importorskip("pysequoia")

SOON = timedelta(seconds=30)
MARKER = b"a witness that nobody else may see"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="adyton-") as name:
        path = Path(name)
        with worker_process(path, ADYTON_BB=str(write_chonk(path / "bb"))):
            yield path


async def key(caller: Caller) -> str:
    described = await caller.link.call("openpgp-key", within=SOON)
    assert described["mode"] == "standard"
    # A script is no version of Aztec.
    assert described["versions"] == {}
    return str(described["key"])


@pytest.mark.parametrize("way", ["", "fallback", "compressed"])
async def test_what_the_client_seals_is_proven(folder: Path, tmp_path: Path, way: str) -> None:
    async with calling(folder) as caller:
        sealed = seal(STEPS, await key(caller), folder=tmp_path, way=way)
        events: list[str] = []
        answer = await caller.link.call(
            "openpgp-prove",
            within=SOON,
            on_event=lambda event: events.append(event["phase"]),
            message=sealed.message,
        )

    proof = answer["proof"]
    assert len(proof) == 4 + 32 * int.from_bytes(proof[:4])
    assert {"open", "bb"} <= answer["timings"].keys()
    assert events == ["opened", "proving"]


async def test_the_client_gets_its_proof_over_http(folder: Path, tmp_path: Path) -> None:
    async with (
        calling(folder) as caller,
        open_store(f"sqlite:///{tmp_path}/adyton.db") as store,
        ProvingGateway(store, worker=caller.link).client() as client,
    ):
        found = (await client.get("/attestation")).json()
        sealed = seal(STEPS, found["publicKey"], folder=tmp_path)
        answer = await client.post("/prove", json={"data": to_base64(sealed.message)})

    assert answer.status_code == 200
    proof = from_base64(answer.json()["proof"], "proof", limit_bytes=1024 * 1024)
    # What Aztec's client reads: how many fields there are, and then these.
    assert len(proof) == 4 + 32 * int.from_bytes(proof[:4])
    assert int(answer.headers["x-prove-duration-ms"]) >= 0


async def test_a_message_for_another_key_is_refused(folder: Path, tmp_path: Path) -> None:
    async with calling(folder) as caller:
        sealed = seal(STEPS, await key(caller), folder=tmp_path)
        broken = sealed.message[:-1] + bytes([sealed.message[-1] ^ 1])

        with pytest.raises(LinkedRejectedError) as caught:
            await caller.link.call("openpgp-prove", within=SOON, message=broken)

    assert caught.value.code == "openpgp-rejected"


async def test_what_is_in_a_message_is_not_quoted(folder: Path, tmp_path: Path) -> None:
    async with calling(folder) as caller:
        sealed = seal(MARKER, await key(caller), folder=tmp_path)

        with pytest.raises(LinkedMalformedError) as caught:
            await caller.link.call("openpgp-prove", within=SOON, message=sealed.message)

    assert caught.value.code == "steps-malformed"
    assert MARKER.decode() not in str(caught.value)


async def test_no_call_has_anything_of_the_host_s_vouched_for(folder: Path) -> None:
    async with calling(folder) as caller:
        plain = await caller.link.call("openpgp-key", within=SOON)
        asked = await caller.link.call(
            "openpgp-key",
            within=SOON,
            key="a key of the host's",
            user_data=b"\x07" * 64,
            report_data=b"\x07" * 64,
        )

    assert asked == plain
