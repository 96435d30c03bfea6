"""After an answer, nothing private is anywhere: not on the disk, not in a log, not in any memory.

A marker is planted in the credentials and in the data, as text and as an amount. What is looked
through is what the host has: every file and log of every process, the database, the metrics, every
error; and the memory of every process that is left. Not looked through are the data source, which
has the data anyway, and the client, whose credentials they are.
"""

import json
import os
import resource
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pytest
from tests.e2e.memory import (
    family,
    find,
    find_in_files,
    find_in_process,
    forms_in_fields,
    forms_of_number,
    forms_of_text,
)
from tests.fakes.postgresql import find_binaries, postgresql

from adyton.cli.local import LocalStack
from adyton.errors import AdytonError
from adyton.model.isolation import Isolation
from adyton.sdk.client import Client
from adyton.sdk.worker import Worker

MARK: Final = "QZXMARK7731KEPLER"
AMOUNT: Final = 7_345_198_264
FORMS: Final[Mapping[str, bytes]] = {
    **forms_of_text(MARK),
    **forms_of_number(AMOUNT),
    **forms_in_fields(AMOUNT),
}
# What goes wrong in a request must not leave more behind than what goes right.
CASES: Final = (
    "good",
    "low",
    "wrong-type",
    "missing-field",
    "not-exact",
    "error-200",
    "unauthorized",
    "rate-limited",
    "broken",
    "dropped",
    "truncated",
    "wrong-length",
    "malformed",
    "gzip",
    "redirect",
    "oversized",
)
SECRETS: Final = {"client_id": f"id {MARK}", "secret": f"secret {MARK}"}
EXAMPLE: Final = "https://api.example.com"


@contextmanager
def planted(folder: Path, isolation: Isolation, **settings: str) -> Iterator[LocalStack]:
    """Yield a stack whose every file is under ``folder`` or its own state."""
    temporary, cache = folder / "temporary", folder / "cache"
    for path in (temporary, cache):
        path.mkdir(mode=0o700)
    environ: dict[str, Any] = {
        "TMPDIR": str(temporary),
        "ADYTON_CACHE": str(cache),
        "ADYTON_BUDGET": "1000",
        **settings,
    }
    with LocalStack(isolation=isolation, **environ) as stack:
        yield stack


def ask_everything(client: Client) -> list[str]:
    """Ask with the marker everywhere it can be; return what was answered, as a caller sees it."""
    said = []

    def ask(endpoint: str, predicate: dict[str, Any], **question: Any) -> None:
        try:
            answer = client.ask(endpoint, predicate, **question)
        except AdytonError as error:
            said.append(f"{error.code}: {error!r}")
        else:
            said.append(json.dumps(answer.receipt.to_json()))

    balance = {"type": "gte", "threshold": 100}
    for case in CASES:
        token = f"sandbox-{case}.{MARK}"
        ask("balance", balance, credentials={"access_token": token, **SECRETS})
    for amount in (AMOUNT, -AMOUNT):
        credentials = {"access_token": f"sandbox-good.{amount}", **SECRETS}
        ask("balance", balance, credentials=credentials)
    # Of each way through the code one: XML, a path that holds a secret, and a question's own.
    ask("custom", {"type": "is_valid"}, provider="state-dmv", credentials={
        "access_token": f"sandbox-good.{MARK}", "license_number": MARK,
    })  # fmt: skip
    ask("income", {"type": "annual_gte", "threshold": 1}, credentials={
        "user_token": f"sandbox-good.{AMOUNT}", **SECRETS,
    })  # fmt: skip
    ask("transactions", {"type": "no_gambling", "lookbackDays": 30}, credentials={
        "access_token": f"sandbox-good.{MARK}", **SECRETS,
    })  # fmt: skip
    for path, method in (("data.xml", "xpath"), ("data.txt", "regex"), ("data", "jsonPath")):
        patterns = {"xpath": "//balance", "regex": "balance: (.*)", "jsonPath": "$.data.balance"}
        ask(
            "custom",
            {"type": "gte", "threshold": 1},
            provider={
                "url": f"{EXAMPLE}/{path}",
                "method": "GET",
                "headers": {"Authorization": "encrypted:"},
            },
            secrets={"/provider/headers/Authorization": f"Bearer sandbox-good.{AMOUNT}"},
            response_extraction={"type": method, "pattern": patterns[method]},
        )
    # Credentials that no provider takes: the reason must not quote them.
    ask("balance", balance, credentials={"access_token": f"{MARK}\r\nX: 1", **SECRETS})
    ask("balance", balance, credentials={"access_token": MARK, "secret": f"\r\n{MARK}"})
    ask("balance", {"type": "roughly"}, credentials={"access_token": MARK, **SECRETS})
    return said


def left_in_memory(stack: LocalStack) -> dict[str, set[str]]:
    """Return the forms by process, for every process of the host and of the worker."""
    found = {}
    for name in ("gateway", "worker"):
        for pid, command in family(stack.pids[name]).items():
            forms = find_in_process(pid, FORMS)
            if forms:
                found[f"{name} {pid} {command}"] = forms
    return found


def require_memory(stack: LocalStack) -> None:
    """Skip where this user may not look into other processes: they protect themselves."""
    try:
        Path(f"/proc/{stack.pids['worker']}/mem").open("rb").close()
    except PermissionError:
        if os.environ.get("CI"):
            raise
        pytest.skip("to read other processes' memory takes CAP_SYS_PTRACE: run as root")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("planted")
    with planted(folder, Isolation.REQUEST) as stack:
        yield stack


@pytest.fixture(scope="module")
def said(stack: LocalStack) -> list[str]:
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        said = ask_everything(client)
    # Cells that were ended, not left to end, are gone in a moment.
    time.sleep(0.5)
    return said


def test_every_way_through_was_tried(said: list[str]) -> None:
    answered = [text for text in said if text.startswith("{")]
    refused = {text.partition(":")[0] for text in said if not text.startswith("{")}
    assert len(answered) >= 9
    assert refused == {
        "credential-malformed",
        "field-missing",
        "field-wrong-type",
        "predicate-unknown",
        "source-failed",
        "source-malformed",
        "source-rate-limited",
        "source-redirected",
        "source-refused",
        "source-too-large",
        "source-unexpected",
        "source-unreachable",
    }


def test_no_receipt_and_no_error_has_the_marker(said: list[str]) -> None:
    assert [text for text in said if find(text.encode(), FORMS)] == []


def test_no_file_log_or_database_has_the_marker(
    stack: LocalStack, said: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    state = stack.state
    folders = [state, *(Path(stack.environ[name]) for name in ("TMPDIR", "ADYTON_CACHE"))]
    # The database was written to, its log beside it, and every process wrote a log or could.
    names = {path.name for path in state.iterdir()}
    assert {"adyton.db", "worker.log", "gateway.log"} <= names
    assert (state / "gateway.log").stat().st_size > 0
    assert find_in_files(folders, FORMS) == {}


def test_no_metric_and_no_page_has_the_marker(stack: LocalStack, said: list[str]) -> None:
    headers = {"authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.url, headers=headers) as http:
        for path in ("/metrics", "/v1/health", "/v1/providers", "/v1/circuits", "/v1/attestation"):
            answer = http.get(path)
            assert answer.status_code == 200
            assert find(answer.content, FORMS) == set()


def test_no_process_that_is_left_has_the_marker(stack: LocalStack, said: list[str]) -> None:
    require_memory(stack)
    commands = " ".join(family(stack.pids["worker"]).values())
    # The worker, the template, the spare cells and their provers are all there to be looked at.
    for part in ("adyton.worker.server", "adyton.worker.template_main", "bb"):
        assert part in commands
    assert left_in_memory(stack) == {}


def test_no_process_that_sees_plaintext_writes_a_core_file(stack: LocalStack) -> None:
    for pid in family(stack.pids["worker"]):
        # The spare cells come and go: what has gone writes no file.
        with suppress(ProcessLookupError):
            assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)


def test_a_request_that_its_caller_gave_up_leaves_nothing(stack: LocalStack) -> None:
    require_memory(stack)
    with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
        before = cells(stack)
        client._session._worker = judged(client)
        client._transport._http.timeout = httpx.Timeout(0.2)
        with suppress(AdytonError):
            client.ask(
                "balance",
                {"type": "gte", "threshold": 1},
                credentials={"access_token": f"sandbox-slow.{MARK}", **SECRETS},
            )
    until = time.monotonic() + 10
    while before & cells(stack) == before and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    assert left_in_memory(stack) == {}


def judged(client: Client) -> Worker:
    return client.worker()


def cells(stack: LocalStack) -> frozenset[int]:
    return frozenset(family(stack.pids["worker"]))


def test_the_search_finds_the_marker_where_it_is(
    stack: LocalStack, said: list[str], tmp_path: Path
) -> None:
    require_memory(stack)
    # The data source has the data: nobody asks it to forget them.
    source = find_in_process(stack.pids["sandbox"], FORMS)
    assert "text" in source
    # And a process whose work is not done has them, too: here, one that only pretends to end.
    file = tmp_path / f"note of {MARK}"
    file.write_text(json.dumps({"amount": AMOUNT}))
    assert find_in_files([tmp_path], FORMS) == {str(file): {"text", "amount digits"}}


def test_the_search_finds_the_marker_in_pooled_processes(tmp_path: Path) -> None:
    # A cell that serves many keeps what it saw until something else is written over it: that is
    # why receipts say which isolation there was, and why a policy can refuse this one.
    with planted(tmp_path, Isolation.POOLED) as stack:
        require_memory(stack)
        with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
            for token in (f"sandbox-good.{MARK}", f"sandbox-good.{AMOUNT}"):
                client.ask(
                    "balance",
                    {"type": "gte", "threshold": 100},
                    credentials={"access_token": token, **SECRETS},
                )
        found = left_in_memory(stack)
    # In a cell, and in its prover: there in the prover's own number format.
    assert [name for name in found if "template_main" in name]
    provers = set[str]().union(*(forms for name, forms in found.items() if "bb msgpack" in name))
    assert {"montgomery", "shifted montgomery"} & provers
    # And still, neither worker, gateway nor template has seen anything.
    assert not [name for name in found if "worker.server" in name or name.startswith("gateway")]


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("text", f"token={MARK}".encode()),
        ("utf-16", f"x{MARK}".encode("utf-16-le")),
        ("hex", f"x{MARK}".encode().hex().encode()),
        ("amount little-endian", b"\1" + AMOUNT.to_bytes(8, "little")),
        ("minor amount big-endian", bytes(24) + (100 * AMOUNT).to_bytes(8, "big")),
        ("amount digits", b'{"current": 7345198264.0}'),
    ],
)
def test_the_search_knows_each_form(form: str, data: bytes) -> None:
    assert form in find(data, FORMS)


@pytest.mark.parametrize("before", ["", "a", "ab", '{"token": "', "Bearer sandbox-good."])
def test_the_search_knows_base64_wherever_the_marker_stands_in_it(before: str) -> None:
    for encode in (b64encode, urlsafe_b64encode):
        for after in ("", "z", '"}'):
            assert find(encode(f"{before}{MARK}{after}".encode()), FORMS)


def test_the_database_of_postgresql_has_no_marker(tmp_path: Path) -> None:
    binaries = find_binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("CI has PostgreSQL")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgresql(binaries) as url:
        database = url.format(name="postgres")
        folder = Path(url.rpartition("host=")[2])
        with planted(tmp_path, Isolation.REQUEST, DATABASE_URL=database) as stack:
            with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
                for token in (f"sandbox-good.{MARK}", f"sandbox-wrong-type.{MARK}", MARK):
                    with suppress(AdytonError):
                        client.ask(
                            "balance",
                            {"type": "gte", "threshold": 100},
                            credentials={"access_token": token, **SECRETS},
                        )
            # It was there that the audit was written.
            assert not (stack.state / "adyton.db").exists()
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    if str(folder) in " ".join(process.cmdline()):
                        require_memory(stack)
                        assert find_in_process(process.pid, FORMS) == set()
        assert find_in_files([folder], FORMS) == {}
