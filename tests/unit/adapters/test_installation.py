import os
from pathlib import Path

import pytest

from adyton.adapters.installation import (
    FolderNotPrivateError,
    ProverMissingError,
    file_sha256,
    find_installation,
    private_folder,
)

HOME = Path("/home/nobody")


def file_at(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def test_settings_come_first(tmp_path: Path) -> None:
    environ = {"ADYTON_BB": "/my/bb", "ADYTON_ACVM": "/my/acvm.wasm", "ADYTON_CACHE": "/my/cache"}
    found = find_installation(environ, home=HOME, checkout=tmp_path)
    assert found.require_bb() == Path("/my/bb")
    assert found.require_solver() == Path("/my/acvm.wasm")
    assert found.cache == Path("/my/cache")


@pytest.mark.parametrize(
    ("machine", "system", "folder"),
    [
        ("x86_64", "linux", "amd64-linux"),
        ("aarch64", "linux", "arm64-linux"),
        ("arm64", "darwin", "arm64-macos"),
    ],
)
def test_a_checkout_has_the_prover_of_its_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, system: str, folder: str
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("sys.platform", system)
    bb = file_at(tmp_path / "node_modules/@aztec/bb.js/build" / folder / "bb")
    solver = file_at(tmp_path / "node_modules/@noir-lang/acvm_js/web/acvm_js_bg.wasm")
    found = find_installation({}, home=HOME, checkout=tmp_path)
    assert (found.require_bb(), found.require_solver()) == (bb, solver)


def test_what_is_missing_names_the_command_that_gets_it(tmp_path: Path) -> None:
    found = find_installation({"PATH": str(tmp_path)}, home=HOME, checkout=tmp_path)
    with pytest.raises(ProverMissingError, match="run npm ci, or set ADYTON_BB"):
        found.require_bb()
    with pytest.raises(ProverMissingError, match="run npm ci, or set ADYTON_ACVM"):
        found.require_solver()


def test_another_program_called_bb_is_not_the_prover(tmp_path: Path) -> None:
    file_at(tmp_path / "bin" / "bb", b"#!/bin/sh\n")
    environ = {"PATH": str(tmp_path / "bin")}
    assert find_installation(environ, home=HOME, checkout=tmp_path).bb is None


def test_a_known_prover_is_found_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bb = file_at(tmp_path / "bin" / "bb", b"the prover")
    monkeypatch.setattr("adyton.adapters.installation.KNOWN_BB_SHA256", {file_sha256(bb)})
    environ = {"PATH": str(tmp_path / "bin")}
    assert find_installation(environ, home=HOME, checkout=tmp_path).bb == bb


def test_an_empty_variable_is_not_a_setting(tmp_path: Path) -> None:
    environ = {"ADYTON_BB": "", "ADYTON_CACHE": "", "XDG_CACHE_HOME": "/var/cache"}
    found = find_installation(environ, home=HOME, checkout=tmp_path)
    assert found.bb is None
    assert found.cache == Path("/var/cache/adyton")


def test_the_cache_is_in_the_home_folder_otherwise(tmp_path: Path) -> None:
    assert find_installation({}, home=HOME, checkout=tmp_path).cache == HOME / ".cache/adyton"


def test_this_checkout_has_circuits_and_providers() -> None:
    found = find_installation({}, home=HOME)
    assert (found.circuits / "balance_threshold" / "artifact.json").is_file()
    assert found.providers.name == "providers"


def test_a_digest_follows_the_file(tmp_path: Path) -> None:
    path = file_at(tmp_path / "file", b"abc")
    assert file_sha256(path).startswith("ba7816bf")
    path.write_bytes(b"abcd")
    assert file_sha256(path).startswith("88d4266f")


def test_a_folder_is_made_private(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "new" / "folder")
    assert folder is not None
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(FolderNotPrivateError):
        private_folder(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", 65_534, 65_534)
    with pytest.raises(FolderNotPrivateError):
        private_folder(tmp_path / "theirs")


def test_a_folder_that_cannot_be_made_is_none(tmp_path: Path) -> None:
    file_at(tmp_path / "file")
    assert private_folder(tmp_path / "file" / "folder") is None
