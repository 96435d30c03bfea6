"""The development policy names one root, and what the worker was told to trust beside it."""

import hashlib
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adyton.adapters.insecure import ROOT_NAME, InsecurePlatform
from adyton.appraisal.policy import Policy
from adyton.cli.app import run
from adyton.cli.development import (
    CertificatesUnreadableError,
    FileUnwritableError,
    certificate_digests,
    check_writable,
    development_policy,
    make_folder,
    write_whole,
)
from adyton.cli.exits import NO_ANSWER
from adyton.sandbox import Sandbox


def test_it_names_the_root_of_the_state_folder(tmp_path: Path) -> None:
    policy = Policy.from_bytes(development_policy(tmp_path, added_roots=None).encode())
    platform = InsecurePlatform.open(tmp_path, measured={}, clock=lambda: datetime.now(UTC))
    assert policy.named_roots == {ROOT_NAME: platform.root_sha256}
    assert not policy.vendor_roots
    assert policy.receipt is not None
    assert policy.receipt.added_roots == frozenset()


def test_it_names_each_added_root(tmp_path: Path) -> None:
    pems = [Sandbox().ca_pem, Sandbox().ca_pem]
    path = tmp_path / "roots.pem"
    path.write_text("".join(pems))
    digests = [hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest() for pem in pems]
    assert certificate_digests(path) == digests
    policy = Policy.from_bytes(development_policy(tmp_path, added_roots=path).encode())
    assert policy.receipt is not None
    assert policy.receipt.added_roots == frozenset(digests)


@pytest.mark.parametrize("content", ["not a certificate", "é"])
def test_roots_that_cannot_be_read_are_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "roots.pem"
    path.write_text(content)
    with pytest.raises(CertificatesUnreadableError):
        development_policy(tmp_path, added_roots=path)


def test_a_file_is_written_whole_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    write_whole(path, "after")
    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["missing/receipt.json", "."])
def test_a_file_that_cannot_be_written_is_said_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileUnwritableError, match="cannot be written"):
        write_whole(tmp_path / name, "text")
    with pytest.raises(FileUnwritableError, match="cannot be written"):
        check_writable(None, tmp_path / "receipt.json", tmp_path / name)


def test_what_the_system_says_while_it_is_written_is_kept(tmp_path: Path) -> None:
    with pytest.raises(FileUnwritableError, match="File name too long"):
        write_whole(tmp_path / ("a" * 300), "text")


@pytest.mark.parametrize(
    "command",
    [
        ["ask", "balance", "--gte", "1"],
        ["prove", "--steps", __file__],
        ["keys", "create", "--name", "me"],
    ],
)
def test_nothing_is_made_that_there_is_no_place_for(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ADYTON_STATE_DIR", str(tmp_path / "state"))
    assert run([*command, "--out", str(tmp_path / "missing" / "file")]) == NO_ANSWER
    assert "(file-unwritable)" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_a_folder_that_cannot_be_made_is_an_error_with_a_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileUnwritableError, match="cannot be written"):
        make_folder(tmp_path / "file" / "folder")
    make_folder(tmp_path / "one" / "two")
    assert (tmp_path / "one" / "two").is_dir()
