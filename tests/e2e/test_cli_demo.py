"""The demonstration: everything comes out as it must, and what it leaves can be used again."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from adyton.cli.exits import NO, NO_ANSWER, YES
from adyton.cli.script import steps


def demo(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "adyton.cli", "demo", "--out", "receipts"],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **environ},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def shown(folder: Path) -> str:
    done = demo(folder)
    assert done.returncode == YES, done.stdout + done.stderr
    return done.stdout


def test_it_shows_true_and_false_answers_and_refusals(shown: str) -> None:
    assert shown.count(" TRUE ") >= 5
    assert shown.count(" FALSE ") >= 2
    for code in ("budget-exhausted", "seal-rejected", "replayed", "worker-rejected"):
        assert code in shown
    assert "UNEXPECTED" not in shown
    assert "INSECURE" in shown


def test_it_leaves_a_receipt_for_each_answer(shown: str, folder: Path) -> None:
    answered = [step for step in steps() if isinstance(step.expected, bool)]
    names = {f"{number}-{step.name}.json" for number, step in enumerate(answered, 1)}
    left = {path.name for path in (folder / "receipts").iterdir()}
    assert left == names | {"forged.json", "policy.yaml"}
    for number, step in enumerate(answered, 1):
        record = json.loads((folder / "receipts" / f"{number}-{step.name}.json").read_text())
        assert record["public_inputs"]["predicate_satisfied"] is step.expected


def test_its_commands_can_be_repeated(shown: str, folder: Path) -> None:
    pattern = r"(?m)^\$ .*? (verify receipts/\S+ --policy \S+ --nonce \S+)$"
    commands = re.findall(pattern, shown)
    assert len(commands) == 9
    for command, code in ((commands[0], YES), (commands[-1], NO)):
        done = subprocess.run(
            [sys.executable, "-m", "adyton.cli", *command.split()],
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
        )
        assert done.returncode == code


def test_it_gives_none_of_the_credentials_away(shown: str, folder: Path) -> None:
    texts = [shown, *(path.read_text() for path in (folder / "receipts").iterdir())]
    for step in steps():
        for name in ("access_token", "user_token", "secret"):
            if value := step.credentials.get(name):
                assert not any(value in text for text in texts if value != "sandbox")


def test_without_the_prover_it_says_what_is_missing(tmp_path: Path) -> None:
    done = demo(tmp_path, ADYTON_BB=str(tmp_path / "nowhere"))
    assert done.returncode == NO_ANSWER
    assert "prover-missing" in done.stderr


def test_without_a_reference_string_it_says_what_is_missing(tmp_path: Path) -> None:
    # A file in the folder's place: nothing can be downloaded into it.
    nowhere = tmp_path / "nowhere"
    nowhere.write_text("")
    done = demo(tmp_path, CRS_PATH=str(nowhere))
    assert done.returncode == NO_ANSWER
    assert "CRS_PATH" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_ended_while_it_starts_it_leaves_nothing(
    tmp_path: Path, name: signal.Signals, request: pytest.FixtureRequest
) -> None:
    # Where the tests run in the background, SIGINT is ignored, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    # A folder's path that ends here is short enough for the sockets in it.
    with tempfile.TemporaryDirectory(prefix="ad-") as place:
        process = subprocess.Popen(
            [sys.executable, "-m", "adyton.cli", "demo"],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": place},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not list(Path(place).glob("adyton-*/gateway.log")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(name)
        assert process.wait(60) == 130
        assert not list(Path(place).iterdir())
