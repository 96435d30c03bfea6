"""Processes that the command line starts: waited for, watched, ended, started again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from adyton.cli.processes import Child, ProcessEndedError
from adyton.cli.supervisor import Supervisor

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
    with pytest.raises(ProcessEndedError, match="ended by SIGTERM"):
        started.check_alive()


def test_a_process_without_a_pipe_announces_nothing(tmp_path: Path) -> None:
    started = child(tmp_path, "pass")
    with pytest.raises(RuntimeError):
        started.announced(deadline=soon())
    started.stop()


_SERVES = """
import asyncio, os, sys
from adyton.adapters.lifetime import ENDS_WITH_STDIN, stopped
async def serve():
    stop = stopped()
    assert ENDS_WITH_STDIN not in os.environ
    print("serves", flush=True)
    await stop.wait()
    print("ended", flush=True)
asyncio.run(serve())
"""
_STARTS = """
import os, sys, time
from pathlib import Path
from adyton.cli.processes import Child
command = (sys.executable, "-c", sys.argv[1])
child = Child("thing", command, environ=os.environ, log=Path(sys.argv[2]), own_group=True)
time.sleep(60)
"""


def said(log: Path, word: str) -> None:
    deadline = soon()
    while not (log.exists() and word in log.read_text()):
        assert time.monotonic() < deadline, f"nobody said {word}"
        time.sleep(0.01)


def test_a_process_ends_when_the_one_that_started_it_was_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", _STARTS, _SERVES, str(log)]
    with subprocess.Popen(command) as parent:
        said(log, "serves")
        assert "ended" not in log.read_text()
        parent.kill()
    said(log, "ended")


def test_a_process_that_nobody_of_ours_started_outlives_its_input() -> None:
    command = [sys.executable, "-c", _SERVES]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"serves\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        process.terminate()
        assert process.stdout.readline() == b"ended\n"


def test_an_error_of_ours_is_the_one_line_of_a_process(tmp_path: Path) -> None:
    code = (
        "from adyton.adapters.lifetime import as_process\n"
        "from adyton.errors import UnavailableError\n"
        "def main(): raise UnavailableError('no room')\n"
        "as_process(main)\n"
    )
    end = child(tmp_path, code).wait()
    assert end.reason == "no room (unavailable)"
    assert not end.was_killed


def supervisor(tmp_path: Path, code: str, *, well: timedelta) -> Supervisor:
    command = (sys.executable, "-c", code)
    return Supervisor(command, environ=dict(os.environ), log=tmp_path / "log", well=well)


async def test_a_worker_that_never_worked_is_not_started_again(tmp_path: Path) -> None:
    watched = supervisor(tmp_path, "exit('no luck')", well=timedelta(minutes=1))
    watched.start()
    with pytest.raises(ProcessEndedError, match="no luck"):
        await asyncio.wait_for(watched.keep(), 20)
    await watched.stop()
    assert watched.starts == 1


async def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    watched = supervisor(tmp_path, "import time; time.sleep(60)", well=timedelta(0))
    watched.start()
    keeping = asyncio.create_task(watched.keep())
    first = watched.pid
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(20):
        while watched.starts == 1:  # noqa: ASYNC110  # it counts, and tells nobody
            await asyncio.sleep(0.01)
    assert watched.pid != first
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await watched.stop()
