"""More questions than there is room for, and a credential that was asked enough."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import psutil
import pytest
from tests.e2e.hostile import CREDENTIALS, GTE, Attacker

from adyton.cli.local import LocalStack
from adyton.sdk.client import Client
from adyton.sdk.transport import GatewayError

BUDGET: Final = 3


@pytest.fixture(scope="module")
def narrow() -> Iterator[LocalStack]:
    """A stack with room for one question and one that waits, and little to give away."""
    with LocalStack(
        ADYTON_CORES="1",
        ADYTON_IN_FLIGHT="1",
        ADYTON_WAITING="1",
        ADYTON_BUDGET=str(BUDGET),
    ) as stack:
        yield stack


def attacker(stack: LocalStack) -> Attacker:
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        key = client.worker().manifest.sealing_keys["x25519"]
    return Attacker(stack.state / "worker.sock", key)


def post(stack: LocalStack, body: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as http:
        return http.post("/v1/verify/balance", json=body)


def threshold(number: int) -> dict[str, Any]:
    return {"type": "gte", "threshold": number}


def token(number: int) -> dict[str, str]:
    return {**CREDENTIALS, "access_token": f"sandbox-good.{number + 10**6}"}


def test_a_question_beyond_the_queue_is_refused_and_told_when_to_come_back(
    narrow: LocalStack,
) -> None:
    caller = attacker(narrow)
    bodies = [caller.sealed(value=token(number)) for number in range(8)]
    with ThreadPoolExecutor(len(bodies)) as threads:
        answers = list(threads.map(lambda body: post(narrow, body), bodies))
    found = Counter(answer.status_code for answer in answers)
    # One is worked on and one waits at a time; whoever comes meanwhile is sent away at once.
    assert found.keys() == {200, 503}
    assert found[200] >= 2
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["code"] == "overloaded"
            assert int(answer.headers["retry-after"]) >= 1
    # Who was sent away has lost nothing: he seals anew, and is answered.
    with Client(narrow.url, api_key=narrow.api_key, policy=narrow.policy) as client:
        assert client.ask("balance", GTE, credentials=token(100)).answer is True


def test_a_credential_that_was_asked_enough_is_asked_no_more(narrow: LocalStack) -> None:
    mine = {**CREDENTIALS, "access_token": "sandbox-good.5000"}
    with Client(narrow.url, api_key=narrow.api_key, policy=narrow.policy) as client:
        for number in range(BUDGET):
            client.ask("balance", threshold(4999 + number), credentials=mine)
        # The search for the balance ends here.
        with pytest.raises(GatewayError) as refused:
            client.ask("balance", threshold(10), credentials=mine)
        assert (refused.value.status, refused.value.code) == (403, "budget-exhausted")
        # What was asked already gives nothing new away, with another nonce and audience too.
        again = client.ask("balance", threshold(4999), credentials=mine, audience="another")
        assert again.answer is True
        # Another name of the application is no other credential.
        with pytest.raises(GatewayError) as refused:
            client.ask("balance", threshold(11), credentials={**mine, "client_id": "other"})
        assert refused.value.code == "budget-exhausted"
        # And others are none the worse for it.
        assert client.ask("balance", GTE, credentials=token(200)).answer is True


def test_an_exhausted_credential_is_not_sent_to_its_source(narrow: LocalStack) -> None:
    mine = {**CREDENTIALS, "access_token": "sandbox-unauthorized.7"}
    with Client(narrow.url, api_key=narrow.api_key, policy=narrow.policy) as client:
        codes = []
        for number in range(BUDGET + 1):
            with pytest.raises(GatewayError) as refused:
                client.ask("balance", threshold(number), credentials=mine)
            codes.append(refused.value.code)
    # A refusal by the source says something as well: it is paid for like an answer.
    assert codes == ["source-refused"] * BUDGET + ["budget-exhausted"]


def test_a_hundred_at_once_are_all_answered(whole_stack: LocalStack, client: Client) -> None:
    key = client.worker().manifest.sealing_keys["x25519"]
    caller = Attacker(whole_stack.state / "worker.sock", key)
    bodies = [caller.sealed(body={"nonce": f"n{number}"}) for number in range(100)]
    before = _processes(whole_stack)
    with ThreadPoolExecutor(100) as threads:
        answers = list(threads.map(lambda body: _until_answered(whole_stack, caller, body), bodies))
    assert len(answers) == 100
    nonces = {
        answer.json()["receipt"]["statement"]["question"]["request"]["nonce"] for answer in answers
    }
    assert len(nonces) == 100
    # As many processes as before are left, when the spares are there again.
    until = time.monotonic() + 20
    while _processes(whole_stack) > before and time.monotonic() < until:
        time.sleep(0.2)
    assert _processes(whole_stack) <= before


def _until_answered(stack: LocalStack, caller: Attacker, body: Any) -> httpx.Response:
    """Ask as somebody does who is told to come back, and comes back when he is told to."""
    for _attempt in range(100):
        answer = post(stack, body)
        if answer.status_code == 200:
            return answer
        assert answer.status_code in {429, 503}
        assert answer.json()["code"] in {"overloaded", "too-many-requests"}
        time.sleep(int(answer.headers["retry-after"]))
        # A box is opened once: for each try it is sealed anew.
        plain = {k: v for k, v in body.items() if k != "encrypted_access_token"}
        body = caller.sealed(body=plain)
    raise AssertionError("a question was never answered")


def _processes(stack: LocalStack) -> int:
    return len(psutil.Process(stack.pids["worker"]).children(recursive=True))
