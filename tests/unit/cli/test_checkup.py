"""The doctor finds what is missing, says how to get it, and does not stumble over anything."""

from pathlib import Path

import pytest

from adyton.adapters.reference_string import find_reference_string
from adyton.cli.checkup import Check, State, examine

GENERATOR = (1).to_bytes(32) + (2).to_bytes(32)


def checks(environ: dict[str, str], home: Path) -> dict[str, Check]:
    complete = {"ADYTON_CACHE": str(home / "cache"), "HOME": str(home), **environ}
    return {check.name: check for check in examine(complete, home=home)}


def test_what_is_not_there_is_missing_and_says_how_to_get_it(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    found = checks({"ADYTON_BB": nowhere, "ADYTON_ACVM": nowhere}, tmp_path)
    for name in ("prover (bb)", "witness solver", "reference string"):
        assert found[name].state is State.MISSING
        assert found[name].how
    assert "npm ci" in found["prover (bb)"].how
    assert "CRS_PATH" in found["reference string"].how


def test_what_does_not_run_is_missing(tmp_path: Path) -> None:
    program = tmp_path / "bb"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o700)
    found = checks({"ADYTON_BB": str(program)}, tmp_path)
    assert found["prover (bb)"].state is State.MISSING
    assert "does not run" in found["prover (bb)"].found


def test_another_build_of_the_prover_is_said_to_be_one(tmp_path: Path) -> None:
    program = tmp_path / "bb"
    program.write_text("#!/bin/sh\necho 5.0.0\n")
    program.chmod(0o700)
    found = checks({"ADYTON_BB": str(program)}, tmp_path)["prover (bb)"]
    assert found.state is State.ABSENT
    assert found.found.startswith("5.0.0, another build")


def test_a_reference_string_may_do_for_some_circuits_only(tmp_path: Path) -> None:
    folder = tmp_path / "crs"
    folder.mkdir()
    (folder / "bn254_g1.dat").write_bytes(GENERATOR * 2**12)
    environ = {"CRS_PATH": str(folder)}
    assert find_reference_string(environ, home=tmp_path).points == 2**12
    found = checks(environ, tmp_path)["reference string"]
    assert found.state is State.MISSING
    assert "too few for transaction_pattern" in found.found
    assert "32,768 points" in found.how


def test_a_state_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o777)
    found = checks({"ADYTON_STATE_DIR": str(state)}, tmp_path)["state folder"]
    assert found.state is State.MISSING
    assert "chmod" in found.how


def test_a_state_folder_with_a_long_path_is_refused(tmp_path: Path) -> None:
    found = checks({"ADYTON_STATE_DIR": str(tmp_path / ("x" * 120))}, tmp_path)["state folder"]
    assert found.state is State.MISSING
    assert "socket" in found.found


@pytest.mark.parametrize(
    ("url", "word"), [("", "SQLite"), ("postgresql://user:secret@host/db", "PostgreSQL")]
)
def test_the_database_is_named_without_its_password(tmp_path: Path, url: str, word: str) -> None:
    found = checks({"DATABASE_URL": url}, tmp_path)["database"]
    assert found.found.startswith(word)
    assert "secret" not in found.found
