"""``adyton verify`` on a notary's proof: what is printed, and the exit codes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.proofs import FakeNotary

from adyton.cli.app import run

DATA = b"what is committed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    notary = FakeNotary()
    notary.commit(b"before")
    proof = notary.commit(DATA)
    for name, data in {
        "file": DATA,
        "other": b"other bytes",
        "file.proof.json": proof,
        "previous.json": notary.proofs[0],
        "file.tlog-proof": notary.place(2).to_bytes(),
        "checkpoint": notary.checkpoint(),
        "anchors.json": b'{"requireEnforcement":"measured-tee"}',
        "strange.json": b'{"requireActor":true}',
        "receipt.json": b'{"receipt":{}}',
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def verified(folder: Path, file: str, *options: str) -> int:
    given = [str(folder / item) if (folder / item).exists() else item for item in options]
    return run(["verify", str(folder / file), *given])


def test_a_proof_that_holds_is_exit_code_0(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = ("--file", "file", "--checkpoint", "file.tlog-proof", "--previous", "previous.json")
    assert verified(folder, "file.proof.json", *beside) == 0
    shown = capsys.readouterr().out
    assert "the proof holds" in shown
    assert "number" in shown
    assert "by the notary's clock" in shown


def test_a_proof_of_other_bytes_is_exit_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(folder, "file.proof.json", "--file", "other") == 1
    shown = capsys.readouterr().out
    assert "does not hold" in shown
    assert "(artifact-mismatch)" in shown


def test_a_policy_decides(folder: Path) -> None:
    assert verified(folder, "file.proof.json", "--policy", "anchors.json") == 1


def test_the_verdict_is_printed_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verified(folder, "file.proof.json", "--file", "file", "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["subject"] == "commit"
    assert [layer["name"] for layer in verdict["layers"]] == ["evidence", "commit", "chain", "log"]


@pytest.mark.parametrize(
    ("file", "options", "text"),
    [
        ("file.proof.json", ("--policy", "strange.json"), "requireActor"),
        ("file.proof.json", ("--checkpoint", "checkpoint"), "log prove"),
        ("file.proof.json", ("--nonce", "n"), "for a receipt"),
        ("receipt.json", (), "give --policy"),
        ("receipt.json", ("--file", "file", "--policy", "anchors.json"), "notary's proof"),
        ("file", (), "which are JSON"),
    ],
)
def test_what_cannot_be_judged_is_exit_code_2(
    folder: Path,
    file: str,
    options: tuple[str, ...],
    text: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verified(folder, file, *options) == 2
    assert text in capsys.readouterr().err


def test_half_a_character_in_a_proof_is_shown_as_json_has_it(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    document = json.loads((folder / "file.proof.json").read_bytes())
    document["commit"]["epochId"] = "\ud800"
    (folder / "half.json").write_text(json.dumps(document))
    assert verified(folder, "half.json", "--json") == 1
    json.loads(capsysbinary.readouterr().out)
    assert run(["log", "walk", str(folder / "half.json"), "--json"]) == 1
    assert run(["log", "walk", str(folder / "half.json")]) == 1
    assert verified(folder, "half.json") == 1


def test_an_epoch_with_half_a_character_is_walked_and_printed(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    notary = FakeNotary()
    notary.template = replace(notary.template, epoch_id="\ud800")
    (folder / "odd.json").write_bytes(notary.commit(DATA))
    assert run(["log", "walk", str(folder / "odd.json"), "--json"]) == 0
    shown = json.loads(capsysbinary.readouterr().out)
    assert shown["stretches"][0]["epoch"] == "\ud800"
    assert verified(folder, "odd.json", "--file", "file") == 0


@pytest.mark.parametrize(
    "command",
    [("commit", "file"), ("log", "checkpoint"), ("log", "prove", "file.proof.json"), ("mcp",)],
)
def test_an_address_that_is_none_is_exit_code_2(
    folder: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ADYTON_API_KEY", "key")
    (folder / "file2").write_bytes(b"without a proof")
    given = tuple("file2" if item == "file" else item for item in command)
    assert run([*given, "--url", "ftp://nowhere"]) == 2


def test_a_bare_proof_is_no_malformed_receipt_but_checked_elsewhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "proof").write_bytes(bytes(64))
    assert verified(folder, "proof") == 2
    said = capsys.readouterr().err
    assert "bb verify" in said
    assert "--key-out" in said
    # What begins as a receipt has its own reason.
    (folder / "proof").write_bytes(b'{"receipt":')
    assert verified(folder, "proof") == 2
    assert "bare proof" not in capsys.readouterr().err


def test_a_reason_of_several_parts_is_read_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(folder, "file.proof.json") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count("no policy says which evidence is accepted") == 1
    assert shown.count("no place in a log was given") == 1
    assert "freshness not required, as above" in shown


@pytest.mark.parametrize("columns", ["40", "80", None])
def test_a_digest_is_one_word_however_narrow_it_is(
    columns: str | None,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    epoch = json.loads((folder / "file.proof.json").read_bytes())["commit"]["epochId"]
    assert run(["log", "walk", str(folder / "file.proof.json")]) == 0
    assert epoch in capsys.readouterr().out
    assert run(["circuits"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line.split()) == 4 for line in lines[1:])


def test_a_width_that_was_told_is_kept_where_there_is_no_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert verified(folder, "file.proof.json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
