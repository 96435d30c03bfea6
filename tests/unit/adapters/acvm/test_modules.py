import os
from pathlib import Path

import pytest

from adyton.adapters.acvm import SolverUnknownError
from adyton.adapters.acvm.modules import (
    _engine,
    keep_compiled,
    load_compiled,
    load_modules,
)
from adyton.adapters.installation import private_folder

SOURCE = b'(module (func (export "answer") (result i32) (i32.const 42)))'


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = private_folder(tmp_path / "cache")
    assert folder is not None
    return folder


@pytest.fixture
def kept(cache: Path) -> Path:
    keep_compiled(_engine(), SOURCE, cache)
    (path,) = cache.iterdir()
    return path


def test_a_solver_of_another_build_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.wasm"
    other.write_bytes(b"\0asm\1\0\0\0")
    with pytest.raises(SolverUnknownError, match="npm ci"):
        load_modules(other, cache_dir=None)


def test_a_missing_solver_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SolverUnknownError, match="cannot be read; run npm ci"):
        load_modules(tmp_path / "missing.wasm", cache_dir=None)


def test_a_compiled_module_is_private(cache: Path, kept: Path) -> None:
    assert cache.stat().st_mode & 0o777 == 0o700
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_compiled_module_is_found_again(cache: Path, kept: Path) -> None:
    assert load_compiled(_engine(), SOURCE, cache) is not None
    assert load_compiled(_engine(), b"(module)", cache) is None
    assert load_compiled(_engine(), SOURCE, None) is None


def test_a_damaged_compiled_module_is_dropped(cache: Path, kept: Path) -> None:
    kept.write_bytes(b"damaged")
    assert load_compiled(_engine(), SOURCE, cache) is None
    assert not kept.exists()


def test_a_link_in_the_cache_is_not_followed(cache: Path, kept: Path, tmp_path: Path) -> None:
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")
    assert load_compiled(_engine(), SOURCE, cache) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_compiled_module_of_somebody_else_is_not_used(cache: Path, kept: Path) -> None:
    os.chown(kept, 65_534, 65_534)
    assert load_compiled(_engine(), SOURCE, cache) is None


def test_what_cannot_be_kept_leaves_nothing_behind(cache: Path, kept: Path) -> None:
    kept.unlink()
    kept.mkdir()  # in the way
    with pytest.raises(OSError, match="directory"):
        keep_compiled(_engine(), SOURCE, cache)
    assert list(cache.iterdir()) == [kept]
