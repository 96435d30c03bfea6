"""What an operator reads of keys and of the audit, at every width."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adyton.adapters.store.records import AuditEntry
from adyton.cli import administration
from adyton.cli.app import run

NOW = datetime(2026, 2, 3, 12, tzinfo=UTC)
ID = "0123456789abcdef0123"


@pytest.fixture(autouse=True)
def _narrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADYTON_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def test_the_name_of_a_key_is_there_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["keys", "create", "--name", "the-shop"]) == 0
    capsys.readouterr()
    assert run(["keys", "list"]) == 0
    out = capsys.readouterr().out
    assert "the-shop" in out
    assert "register" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(("columns", "has_ids"), [("80", False), ("100", True)])
def test_the_audit_breaks_no_word_and_a_proof_is_no_answer(
    columns: str,
    has_ids: bool,  # noqa: FBT001
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: dict[str, Any] = {"id": ID, "time": NOW, "key_id": ID, "status": 200}
    entries = [
        AuditEntry(**made, endpoint="prove", timings={"cell": 12345.0}),
        AuditEntry(**made, endpoint="balance", answer=False, provider="clearinghouse-education"),
        AuditEntry(**made, endpoint="transactions", code="source-malformed"),
    ]

    async def listed(*_arguments: object, **_options: object) -> list[AuditEntry]:
        return entries

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(administration, "list_audit", listed)
    assert run(["audit"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert [row[3] for row in rows[1:]] == ["proven", "false", "source-malformed"]
    assert "clearinghouse-education" in out
    assert "transactions" in out
    assert (ID[:8] in out) is has_ids
