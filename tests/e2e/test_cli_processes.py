"""Processes that the command line starts: waited for, watched, ended, started again."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from adyton.cli.processes import Child, ProcessEndedError
from adyton.cli.serving import Supervisor

_ANNOUNCES = (
    "import os, sys, time; os.write(int(sys.argv[-1]), b'{\"port\": 7}\\n'); time.sleep(60)"
)


def child(tmp_path: Path, code: str, *, notify: bool = False) -> Child:
    return Child(
        "thing",
        (sys.executable, "-c", code),
        environ=dict(os.environ),
        log=tmp_path / "log",
        notify=notify,
    )


def soon() -> float:
    return time.monotonic() + 20


def test_what_a_process_announces_is_heard(tmp_path: Path) -> None:
    started = child(tmp_path, _ANNOUNCES, notify=True)
    assert started.announced(deadline=soon()) == {"port": 7}
    started.check_alive()
    started.stop()


def test_a_process_that_ends_without_a_word_says_why(tmp_path: Path) -> None:
    code = "import sys; print('noise'); print('error: no room (full)\\n  make some'); sys.exit(3)"
    started = child(tmp_path, code, notify=True)
    with pytest.raises(ProcessEndedError, match=r"the thing did not start: no room \(full\)"):
        started.announced(deadline=soon())
    started.stop()


def test_a_process_that_says_nothing_is_not_waited_for_forever(tmp_path: Path) -> None:
    started = child(tmp_path, "import time; time.sleep(60)", notify=True)
    with pytest.raises(ProcessEndedError, match="not ready in time"):
        started.announced(deadline=time.monotonic() + 0.2)
    started.stop()


def test_a_process_that_was_not_listened_to_is_ended_all_the_same(tmp_path: Path) -> None:
    started = child(tmp_path, _ANNOUNCES, notify=True)
    started.stop()
    with pytest.raises(ProcessEndedError, match="status -15"):
        started.check_alive()


def test_a_process_without_a_pipe_announces_nothing(tmp_path: Path) -> None:
    started = child(tmp_path, "pass")
    with pytest.raises(RuntimeError):
        started.announced(deadline=soon())
    started.stop()


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the worker, which ends at once where ``ends`` is there."""
    ends = tmp_path / "ends"
    code = f"import os, time; os.path.exists({str(ends)!r}) and exit('no luck'); time.sleep(60)"
    monkeypatch.setattr("adyton.cli.serving._WORKER", (sys.executable, "-c", code))
    return ends


async def test_a_worker_that_never_worked_is_not_started_again(
    tmp_path: Path, worker: Path
) -> None:
    worker.touch()
    supervisor = Supervisor(dict(os.environ), tmp_path / "log")
    supervisor.start()
    with pytest.raises(ProcessEndedError, match="no luck"):
        await asyncio.wait_for(supervisor.keep(), 20)
    await supervisor.stop()
    assert supervisor.starts == 1


async def test_a_worker_that_dies_is_started_again(
    tmp_path: Path, worker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adyton.cli.serving._WELL_SECONDS", 0.0)
    supervisor = Supervisor(dict(os.environ), tmp_path / "log")
    supervisor.start()
    keeping = asyncio.create_task(supervisor.keep())
    first = supervisor.pid
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(20):
        while supervisor.starts == 1:
            await asyncio.sleep(0.01)
    assert supervisor.pid != first
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await supervisor.stop()
