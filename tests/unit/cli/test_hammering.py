"""What a reader of ``adyton log hammer`` makes of checkpoints whose keys come and go."""

import httpx
import pytest
from tests.fakes.proofs import FakeNotary

from adyton.cli import hammering
from adyton.cli.hammering import Contradiction, Hammer, HammerLoad
from adyton.codec.javascript import canonical
from adyton.codec.text import to_base64
from adyton.ledger.checkpoint import CheckpointUnsignedError
from adyton.ledger.proof import proof_hash

URL = "http://notary.example"


class Restarted:
    """Answers for a notary that ended after it had signed ``lost``, and before its next proof.

    Whatever it is asked, it names no key but the one that made the first proof.
    """

    def __init__(self, *, notes_by_lost_key: int) -> None:
        notary = FakeNotary()
        self.proof = notary.commit(b"one")
        self.known = {"publicKeyB64": to_base64(notary.key.public), "first": "1"}
        self.place = notary.place(1).to_bytes()
        notary.next_epoch(seed=7)
        self.lost = notary.place(1).to_bytes()
        self.left = notes_by_lost_key

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/v1/log/proofs/1":
                return httpx.Response(200, content=self.proof)
            case "/v1/log/inclusion/1":
                self.left -= 1
                return httpx.Response(200, content=self.lost if self.left >= 0 else self.place)
            case "/key":
                return httpx.Response(200, content=canonical(self.known))
            case "/v1/log/epochs":
                epochs = [self.known] if request.url.params["after"] == "0" else []
                return httpx.Response(200, content=canonical({"epochs": epochs}))
        raise AssertionError(request.url)


async def looked_up(notary: Restarted) -> Hammer:
    hammer = Hammer(url=URL, api_key="key", load=HammerLoad())
    hammer.given[1] = proof_hash(notary.proof)
    hammer.keys.update(bytes([number]) * 32 for number in range(3))
    async with httpx.AsyncClient(base_url=URL, transport=httpx.MockTransport(notary)) as client:
        await hammer.look_up(client, 1)
    return hammer


async def test_a_key_that_nobody_names_any_more_is_waited_out() -> None:
    hammer = await looked_up(Restarted(notes_by_lost_key=3))
    assert hammer.read == 1
    assert hammer.newest is not None
    assert hammer.newest.size == 1


async def test_a_key_that_nobody_ever_names_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hammering, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(CheckpointUnsignedError, match=r"not signed by notary\.example/log$"):
        await looked_up(Restarted(notes_by_lost_key=10**6))


async def looked_along(notary: FakeNotary, shown: list[bytes]) -> Hammer:
    hammer = Hammer(url=URL, api_key="key", load=HammerLoad())
    hammer.given = {at: proof_hash(proof) for at, proof in enumerate(notary.proofs, start=1)}
    lines = b"".join(proof + b"\n" for proof in shown)
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, content=lines))
    async with httpx.AsyncClient(base_url=URL, transport=answer) as client:
        await hammer.look_along(client, 1)
    return hammer


async def test_a_stretch_of_the_log_is_compared_with_what_was_given() -> None:
    notary, other = FakeNotary(), FakeNotary()
    for data in (b"one", b"two", b"three"):
        notary.commit(data)
        other.commit(data + b"!")
    assert (await looked_along(notary, notary.proofs)).read == 3
    one, two, three = notary.proofs
    for shown, reason in (
        ([one, three], "not one chain"),
        ([one, two, other.proofs[2]], "not one chain"),
        (other.proofs, "another proof with the number 1"),
        ([two, three], "another proof with the number 1"),
    ):
        with pytest.raises(Contradiction, match=reason):
            await looked_along(notary, shown)
