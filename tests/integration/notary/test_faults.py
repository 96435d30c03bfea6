"""Disks that are read-only or full, and databases that are gone: while a notary runs, and before.

Each ends in an error that says what is wrong, with a stable code; nothing is lost, no number is
given twice, and it goes on once what was missing is back.
"""

import base64
import hashlib
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.dynamodb import Table
from tests.fakes.notarized import NotarizedGateway
from tests.fakes.postgresql import Database, find_binaries, postgresql

from adyton.codec.javascript import canonical

FAILING = (sys.executable, "-m", "tests.fakes.failing_disk")
ROOT = Path(__file__).parents[3]
IMPATIENT = {"ADYTON_ANCHOR_PATIENCE_MS": "300"}
PATIENT = {"ADYTON_ANCHOR_PATIENCE_MS": "20000"}
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    if (binaries := find_binaries()) is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgresql(binaries) as url:
        yield Database(binaries, url)


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    with Table() as table:
        yield table


class Remote:
    """An anchor of another machine: where it is, and how it goes away and comes back."""

    def __init__(
        self, address: str, *, leave: Callable[[], None], back: Callable[[], None]
    ) -> None:
        self.address, self.leave, self.back = address, leave, back


@pytest.fixture(params=["postgresql", "dynamodb"])
def remote(request: pytest.FixtureRequest) -> Remote:
    if request.param == "dynamodb":
        table: Table = request.getfixturevalue("table")
        return Remote(table.address, leave=table.stop, back=table.start)
    database: Database = request.getfixturevalue("database")
    return Remote(database.url, leave=database.stop, back=database.start)


def anchored(address: str, **environ: str) -> NotarizedGateway:
    # A ledger's name is its row at the anchor: each test has its own.
    origin = f"{os.urandom(8).hex()}.example/log"
    return NotarizedGateway(ADYTON_ANCHORS=address, ADYTON_LOG_ORIGIN=origin, **environ)


def ask(client: httpx.Client, text: bytes) -> httpx.Response:
    digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
    body = {"digests": [{"digestB64": digest, "hashAlg": "sha256"}]}
    return client.post("/commit", json=body, headers={"Idempotency-Key": text.decode()})


def commit(client: httpx.Client, text: bytes) -> dict[str, Any]:
    answer = ask(client, text)
    assert answer.status_code == httpx.codes.OK, answer.text
    (proof,) = answer.json()
    return dict(proof)


def refused(client: httpx.Client, text: bytes) -> str:
    """Return what is said to who asked and was not answered with a proof."""
    answer = ask(client, text)
    assert (answer.status_code, answer.json()["code"]) == (503, "ledger-ended")
    return str(answer.json()["error"])


def check_kept(stack: NotarizedGateway, *given: dict[str, Any]) -> None:
    """Check that the log has exactly what was given, one behind the other."""
    assert [int(proof["commit"]["counter"]) for proof in given] == [*range(1, len(given) + 1)]
    for before, after in pairwise(given):
        digest = base64.b64encode(hashlib.sha256(canonical(before)).digest()).decode()
        link = after["commit"].get("epochLink", {}).get("prevProofHashB64")
        assert after["commit"].get("prevB64", link) == digest
    with stack.client() as client:
        for number, proof in enumerate(given, start=1):
            assert client.get(f"/v1/log/proofs/{number}").json() == proof
        assert client.get(f"/v1/log/proofs/{len(given) + 1}").status_code == httpx.codes.NOT_FOUND


def again(stack: NotarizedGateway) -> None:
    stack.start("notary")
    stack.wait()


@pytest.fixture
def failing() -> Iterator[tuple[NotarizedGateway, Path]]:
    """A gateway, its notary on a disk that can fail, and the switch that makes it."""
    with NotarizedGateway(PYTHONPATH=str(ROOT)) as stack:
        stack.children["notary"].stop()
        switch = stack.state / "switch"
        stack.environ["ADYTON_TEST_READ_ONLY"] = str(switch)
        stack.start("notary", command=FAILING)
        stack.wait()
        yield stack, switch


@pytest.mark.parametrize(
    ("name", "what"), [("/journal", "journal"), ("/nodes/", "nodes"), ("sealed", "sealed state")]
)
def test_a_disk_that_becomes_read_only_ends_the_notary_and_loses_nothing(
    name: str, what: str, failing: tuple[NotarizedGateway, Path]
) -> None:
    stack, switch = failing
    with stack.client() as client:
        given = [commit(client, b"before")]
        client.get("/v1/log/inclusion/1").raise_for_status()
        switch.write_text(name)
        # The journal fails with the commit, the others with the checkpoint that follows it.
        if what == "journal":
            reason = refused(client, b"during")
        else:
            with suppress(httpx.HTTPError):
                answer = ask(client, b"during")
                given += answer.json() if answer.status_code == httpx.codes.OK else []
            reason = stack.children["notary"].wait().reason
        text = f"the ledger's {what} cannot be written or read: Read-only file system"
        assert text in reason
        assert "the ledger has stopped" in stack.children["notary"].wait().reason
        switch.unlink()
        again(stack)
        # Whether the step in between was acknowledged or not, its key finds what became of it.
        if len(given) == 1:
            given.append(commit(client, b"during"))
        check_kept(stack, *given, commit(client, b"after"))


@pytest.mark.parametrize("folder", ["ledger", "."], ids=["ledger", "state"])
def test_a_notary_does_not_start_on_a_read_only_disk(folder: str) -> None:
    mounted = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    if not shutil.which("unshare") or subprocess.run(mounted, check=False).returncode:
        pytest.skip("this system lets nobody mount anything")
    with NotarizedGateway() as stack, stack.client() as client:
        before = commit(client, b"before")
        stack.children["notary"].stop()
        script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
        place = str(stack.state / folder)
        notary = (sys.executable, "-m", "adyton.cli", "notary")
        child = stack.start("notary", command=(*mounted[:-1], "sh", "-c", script, place, *notary))
        reason = child.wait().reason
        assert re.search("lock cannot be written or read: Read-only file system", reason), reason
        assert ask(client, b"during").json()["code"] == "notary-unavailable"
        again(stack)
        check_kept(stack, before, commit(client, b"after"))


def limit_files(stack: NotarizedGateway) -> None:
    """Let the anchor's files grow no further; the journal is smaller, and may."""
    folder = stack.state / "ledger"
    size = (folder / "anchor.db-wal").stat().st_size
    assert (folder / "journal").stat().st_size + 4096 < size
    pid = stack.children["notary"].pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_disk_that_is_full_for_the_anchor_ends_the_notary_and_loses_nothing() -> None:
    with NotarizedGateway(**IMPATIENT) as stack, stack.client() as client:
        before = commit(client, b"before")
        limit_files(stack)
        assert "the sqlite anchor cannot be used" in refused(client, b"during")
        assert "the ledger has stopped" in stack.children["notary"].wait().reason
        again(stack)
        check_kept(stack, before, commit(client, b"during"), commit(client, b"after"))


@pytest.mark.parametrize("name", ["anchor.db", "anchor.db-wal"])
def test_an_anchor_whose_file_is_removed_acknowledges_nothing_more(
    name: str, tmp_path: Path
) -> None:
    with NotarizedGateway(**IMPATIENT) as stack, stack.client() as client:
        before = commit(client, b"before")
        folder = stack.state / "ledger"
        for path in folder.glob("anchor.db*"):
            shutil.copy(path, tmp_path)
        (folder / name).unlink()
        assert "the sqlite anchor cannot be used" in refused(client, b"during")
        assert "the ledger has stopped" in stack.children["notary"].wait().reason
        if name == "anchor.db":
            # Without its anchor the ledger is refused, and goes on when that is back.
            assert "anchor is at 0, this ledger was at" in stack.start("notary").wait().reason
            for path in folder.glob("anchor.db*"):
                path.unlink()
            shutil.copytree(tmp_path, folder, dirs_exist_ok=True)
        again(stack)
        check_kept(stack, before, commit(client, b"during"), commit(client, b"after"))


def test_an_anchor_that_was_set_back_while_the_notary_runs_is_noticed(tmp_path: Path) -> None:
    with NotarizedGateway(**IMPATIENT) as stack, stack.client() as client:
        commit(client, b"before")
        path = stack.state / "ledger" / "anchor.db"
        shutil.copy(path, tmp_path / "old")
        commit(client, b"more")
        # Renamed over the file, as tools that restore one do.
        (tmp_path / "old").replace(path)
        assert "its file was removed or replaced" in refused(client, b"during")
        assert "the ledger has stopped" in stack.children["notary"].wait().reason


def test_a_journal_whose_file_is_removed_ends_the_notary_and_loses_nothing(tmp_path: Path) -> None:
    with NotarizedGateway() as stack, stack.client() as client:
        before = commit(client, b"before")
        client.get("/v1/log/inclusion/1").raise_for_status()
        path = stack.state / "ledger" / "journal"
        shutil.copy(path, tmp_path)
        path.unlink()
        # The anchor carries what is committed now; the next checkpoint looks for the journal.
        answer = ask(client, b"during")
        ended = stack.children["notary"].wait().reason
        assert "the ledger's journal cannot be written or read" in ended
        assert "bring back the journal that belongs to it" in stack.start("notary").wait().reason
        shutil.copy(tmp_path / "journal", path)
        again(stack)
        given = answer.json()[0] if answer.status_code == 200 else commit(client, b"during")
        check_kept(stack, before, given, commit(client, b"after"))


def test_an_anchor_that_goes_away_ends_the_notary_and_loses_nothing(remote: Remote) -> None:
    with anchored(remote.address, **IMPATIENT) as stack, stack.client() as client:
        before = commit(client, b"before")
        remote.leave()
        try:
            reason = refused(client, b"during")
            assert "anchor cannot be used" in reason
            assert "the ledger has stopped" in stack.children["notary"].wait().reason
            # It does not start without it, either, and says which one is missing.
            assert "anchor cannot be used" in stack.start("notary").wait().reason
        finally:
            remote.back()
        again(stack)
        check_kept(stack, before, commit(client, b"during"), commit(client, b"after"))


def test_an_anchor_that_comes_back_in_time_is_waited_for(remote: Remote) -> None:
    with anchored(remote.address, **PATIENT) as stack, stack.client() as client:
        before = commit(client, b"before")
        remote.leave()
        found: list[dict[str, Any]] = []
        waiting = threading.Thread(target=lambda: found.append(commit(client, b"during")))
        try:
            waiting.start()
            time.sleep(0.3)
            assert not found
        finally:
            remote.back()
            waiting.join()
        check_kept(stack, before, *found, commit(client, b"after"))


def test_of_two_notaries_that_share_an_anchor_one_ends(remote: Remote) -> None:
    # On a second machine, with a copy of the folder: there is no lock that both see.
    with anchored(remote.address, **IMPATIENT) as first, NotarizedGateway(**IMPATIENT) as second:
        for stack in (first, second):
            stack.children["notary"].stop()
        for name in ("ADYTON_ANCHORS", "ADYTON_LOG_ORIGIN"):
            second.environ[name] = first.environ[name]
        shutil.rmtree(second.state / "ledger")
        shutil.copytree(first.state / "ledger", second.state / "ledger")
        again(first)
        again(second)
        with first.client() as one, second.client() as other:
            given = [commit(one, b"first")]
            assert "head was moved by another notary" in refused(other, b"second")
            assert "the ledger has stopped" in second.children["notary"].wait().reason
            check_kept(first, *given, commit(one, b"after"))
