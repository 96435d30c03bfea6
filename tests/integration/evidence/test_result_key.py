"""The key for attestation results: one for a folder, whoever makes it, and for its owner alone."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adyton.adapters.attestation_results import ResultKeyUnavailableError, result_signer


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = result_signer(tmp_path)
    assert stat.S_IMODE(only_file(tmp_path).stat().st_mode) == 0o600
    assert result_signer(tmp_path).public_jwk == first.public_jwk
    assert "d" not in first.public_jwk


def test_whoever_makes_it_at_once_has_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = {signer.key_id for signer in pool.map(result_signer, [tmp_path] * 32)}
    assert len(names) == 1
    only_file(tmp_path)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\0" * 100])
def test_a_damaged_key_is_none_and_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    result_signer(tmp_path)
    path = only_file(tmp_path)
    path.write_bytes(content)
    with pytest.raises(ResultKeyUnavailableError, match="damaged"):
        result_signer(tmp_path)
    assert path.read_bytes() == content


def test_a_key_that_others_can_read_is_none(tmp_path: Path) -> None:
    result_signer(tmp_path)
    only_file(tmp_path).chmod(0o644)
    with pytest.raises(ResultKeyUnavailableError, match="600"):
        result_signer(tmp_path)


def test_without_a_folder_there_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(ResultKeyUnavailableError):
        result_signer(tmp_path / "missing")
