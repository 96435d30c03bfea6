"""Processes that crash, hang or vanish in the middle of a question: a clear error, and recovery."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pytest
from tests.e2e.hostile import CREDENTIALS, GTE

from adyton.adapters.installation import find_installation
from adyton.adapters.store.administration import list_audit
from adyton.cli.local import LocalStack
from adyton.errors import AdytonError, UnavailableError
from adyton.sdk.client import Client
from adyton.sdk.transport import GatewayError

# The largest circuit: its proof takes long enough to be disturbed.
TRANSACTIONS: Final[dict[str, Any]] = {"type": "no_gambling", "lookbackDays": 90}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(
        ADYTON_BUDGET="100000", ADYTON_CORES="2", ADYTON_REQUEST_SECONDS="6", ADYTON_PORT="0"
    ) as stack:
        yield stack


@pytest.fixture
def client(stack: LocalStack) -> Iterator[Client]:
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        yield client


@pytest.fixture(autouse=True)
def recovered(stack: LocalStack) -> Iterator[None]:
    """After each test the next question is answered."""
    yield
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True


def below(stack: LocalStack, part: str) -> list[psutil.Process]:
    """Return the worker's processes whose command has ``part``."""
    found = []
    for process in psutil.Process(stack.pids["worker"]).children(recursive=True):
        with suppress(psutil.Error):
            if part in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def provers(stack: LocalStack) -> list[psutil.Process]:
    return below(stack, "msgpack run")


def cells(stack: LocalStack) -> list[psutil.Process]:
    """Return the cells: what the template forked."""
    templates = psutil.Process(stack.pids["worker"]).children()
    return [cell for template in templates for cell in template.children()]


def busy(stack: LocalStack, *, within: float = 5.0) -> psutil.Process:
    """Return the prover that is at work, once there is one."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        for process in provers(stack):
            with suppress(psutil.Error):
                if sum(process.cpu_times()[:2]) > 0.05:
                    return process
        time.sleep(0.002)
    raise AssertionError("no prover was at work")


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process that was killed has ended: the kernel takes a moment for it."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
                continue
        return True
    return False


def kill_cells(stack: LocalStack) -> None:
    """Kill every cell; the worker does not know yet when this returns."""
    for cell in cells(stack):
        cell.kill()


def ask(client: Client) -> bool:
    return client.ask("transactions", TRANSACTIONS, credentials=CREDENTIALS).answer


def test_a_prover_that_died_while_it_waited_is_replaced(stack: LocalStack, client: Client) -> None:
    for process in provers(stack):
        process.kill()
    assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_prover_that_dies_in_the_middle_of_a_proof_is_replaced_once(
    stack: LocalStack, client: Client, number: signal.Signals
) -> None:
    client.worker()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask, client)
        busy(stack).send_signal(number)
        assert answer.result(20) is True


def test_a_prover_that_dies_again_and_again_is_a_clear_error(
    stack: LocalStack, client: Client
) -> None:
    client.worker()
    stop = threading.Event()

    def keep_killing() -> None:
        while not stop.is_set():
            for process in provers(stack):
                with suppress(psutil.Error):
                    if sum(process.cpu_times()[:2]) > 0.02:
                        process.kill()
            time.sleep(0.005)

    killer = threading.Thread(target=keep_killing)
    killer.start()
    try:
        with pytest.raises(GatewayError) as refused:
            ask(client)
    finally:
        stop.set()
        killer.join()
    assert (refused.value.status, refused.value.code) == (503, "prover-crashed")


def test_a_prover_that_hangs_is_ended_with_its_request(stack: LocalStack, client: Client) -> None:
    client.worker()
    with ThreadPoolExecutor(1) as thread:
        start = time.monotonic()
        answer = thread.submit(ask, client)
        hung = busy(stack)
        hung.suspend()
        with pytest.raises(GatewayError) as refused:
            answer.result(30)
    assert (refused.value.status, refused.value.code) == (503, "cell-timeout")
    assert time.monotonic() - start < 10
    # Nobody leaves it behind, stopped and with a witness in its memory.
    assert has_ended(hung)


def test_a_cell_that_dies_is_a_clear_error(stack: LocalStack, client: Client) -> None:
    client.worker()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask, client)
        busy(stack).parent().kill()  # type: ignore[union-attr]  # its parent is the cell
        with pytest.raises(GatewayError) as refused:
            answer.result(20)
    assert (refused.value.status, refused.value.code) == (503, "cell-lost")


def test_a_cell_that_hangs_is_ended_in_time(stack: LocalStack, client: Client) -> None:
    client.worker()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask, client)
        cell = busy(stack).parent()
        assert cell is not None
        cell.suspend()
        with pytest.raises(GatewayError) as refused:
            answer.result(30)
    assert (refused.value.status, refused.value.code) == (503, "cell-timeout")
    assert has_ended(cell)


def test_every_spare_cell_that_died_is_replaced(stack: LocalStack, client: Client) -> None:
    kill_cells(stack)
    for _ in range(3):
        assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True


def test_a_template_that_died_is_started_again(stack: LocalStack, client: Client) -> None:
    for template in psutil.Process(stack.pids["worker"]).children():
        template.kill()
    for _ in range(3):
        assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True


def test_no_prover_is_left_without_its_cell(stack: LocalStack, client: Client) -> None:
    before = {process.pid for process in provers(stack)}
    kill_cells(stack)
    until = time.monotonic() + 5
    while time.monotonic() < until and before & set(psutil.pids()):
        time.sleep(0.05)
    assert not before & set(psutil.pids())


def test_a_prover_that_hangs_does_not_outlive_its_cell(stack: LocalStack, client: Client) -> None:
    # It has a witness in its memory, and does not notice that nobody listens any more.
    client.worker()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask, client)
        hung = busy(stack)
        hung.suspend()
        hung.parent().kill()  # type: ignore[union-attr]  # its parent is the cell
        with pytest.raises(GatewayError):
            answer.result(20)
    assert has_ended(hung)


def test_a_worker_that_dies_is_a_clear_error_and_another_one_is_judged_anew(
    stack: LocalStack, client: Client
) -> None:
    before = client.worker().manifest
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask, client)
        victim = busy(stack)
        stack._children["worker"].kill()
        with pytest.raises(GatewayError) as refused:
            answer.result(20)
    assert (refused.value.status, refused.value.code) == (503, "worker-unavailable")
    # What it had started goes with it.
    until = time.monotonic() + 5
    while victim.is_running() and time.monotonic() < until:
        time.sleep(0.05)
    assert not victim.is_running()
    with pytest.raises(GatewayError) as refused:
        client.ask("balance", GTE, credentials=CREDENTIALS)
    assert (refused.value.status, refused.value.code) == (503, "worker-unavailable")
    stack.restart_worker(crash=True)
    # Its keys are new: what was sealed to the one before does not open, and the client finds out.
    with suppress(GatewayError):
        client.ask("balance", GTE, credentials=CREDENTIALS)
    assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True
    assert client.worker().manifest.signing_key != before.signing_key


def test_a_caller_that_hangs_up_frees_its_place(stack: LocalStack, client: Client) -> None:
    worker = client.worker()
    slow = {**CREDENTIALS, "access_token": "sandbox-slow"}
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as hasty:
        hasty._session._worker = worker
        hasty._transport._http.timeout = httpx.Timeout(0.3)
        for _ in range(12):
            with pytest.raises(UnavailableError):
                hasty.ask("balance", GTE, credentials=slow)
    assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True


def restart_gateway(stack: LocalStack, *, crash: bool) -> None:
    gateway = stack._children["gateway"]
    gateway.kill() if crash else gateway.stop()
    stack._start("gateway", notify=True)
    deadline = time.monotonic() + 30
    stack._ports["gateway"] = stack._children["gateway"].announced(deadline=deadline)["port"]
    stack._wait_for_worker(deadline)


@pytest.mark.parametrize("crash", [False, True])
def test_a_gateway_that_was_restarted_finds_worker_keys_and_audit_again(
    stack: LocalStack, *, crash: bool
) -> None:
    database = f"sqlite:///{stack.state / 'adyton.db'}"
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        client.ask("balance", GTE, credentials=CREDENTIALS)
    before = len(asyncio.run(list_audit(database, limit=1000)))
    restart_gateway(stack, crash=crash)
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True
    assert len(asyncio.run(list_audit(database, limit=1000))) == before + 1


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalStack, Path]]:
    """A stack whose prover is what a file says: the real one, or something that is none."""
    folder = tmp_path_factory.mktemp("prover")
    real = find_installation(os.environ, home=Path.home()).require_bb()
    mode, script = folder / "mode", folder / "bb"
    mode.write_text("good")
    script.write_text(
        "#!/bin/sh\n"
        f'case "$(cat {mode})" in\n'
        f'good) exec {real} "$@" ;;\n'
        "gone) exit 3 ;;\n"
        "silent) exec sleep 1000 ;;\n"
        "noise) exec yes nonsense ;;\n"
        "esac\n"
    )
    script.chmod(0o755)
    with LocalStack(
        ADYTON_BB=str(script), ADYTON_REQUEST_SECONDS="4", ADYTON_BUDGET="1000"
    ) as stack:
        yield stack, mode


@pytest.mark.parametrize(
    ("what", "codes"),
    [
        ("gone", {"prover-crashed"}),
        ("silent", {"cell-timeout", "prover-timeout"}),
        ("noise", {"prover-failed", "prover-crashed"}),
    ],
)
def test_a_prover_that_is_none_is_a_clear_error_and_a_good_one_is_taken_again(
    broken: tuple[LocalStack, Path], what: str, codes: set[str]
) -> None:
    stack, mode = broken
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        mode.write_text(what)
        # The spares have the prover from before.
        kill_cells(stack)
        found = set()
        for _ in range(1 if what == "silent" else 3):
            try:
                client.ask("balance", GTE, credentials=CREDENTIALS)
            except AdytonError as error:
                found.add(error.code)
        mode.write_text("good")
        kill_cells(stack)
        assert found
        assert found <= codes
        assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True
