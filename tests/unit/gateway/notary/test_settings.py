"""The settings of commits and time stamps: a wrong one stops the start with its name."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.timestamps import FakeAuthority

from adyton.adapters.environment import SettingMalformedError
from adyton.gateway.notary.settings import NotaryAccess

AUTHORITY, OTHER = FakeAuthority(), FakeAuthority()
URL = "https://time.example/tsr"


def read(tmp_path: Path, *pem: bytes, **environ: str) -> NotaryAccess:
    path = tmp_path / "roots.pem"
    path.write_bytes(b"".join(pem or (AUTHORITY.pem,)))
    given = {
        "ADYTON_STATE_DIR": str(tmp_path),
        "ADYTON_STAMP_AUTHORITY": URL,
        "ADYTON_STAMP_ROOTS": str(path),
        **environ,
    }
    return NotaryAccess.from_environ({name: text for name, text in given.items() if text})


def test_an_authority_is_read_with_its_roots(tmp_path: Path) -> None:
    access = read(tmp_path, AUTHORITY.pem, OTHER.pem, ADYTON_STAMP_EVERY_SECONDS="60")
    found = access.time_authority
    assert found is not None
    assert found.url == URL
    assert found.roots == (AUTHORITY.root, OTHER.root)
    assert found.every == timedelta(minutes=1)
    assert access.stamps == tmp_path / "stamps"


def test_without_an_authority_nobody_is_asked(tmp_path: Path) -> None:
    assert read(tmp_path, ADYTON_STAMP_AUTHORITY="", ADYTON_STAMP_ROOTS="").time_authority is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ADYTON_STAMP_AUTHORITY", ""),
        ("ADYTON_STAMP_AUTHORITY", "time.example"),
        ("ADYTON_STAMP_AUTHORITY", "ftp://time.example"),
        ("ADYTON_STAMP_AUTHORITY", "http://"),
        ("ADYTON_STAMP_AUTHORITY", "http://["),
        ("ADYTON_STAMP_AUTHORITY", "http://time.example:x"),
        ("ADYTON_STAMP_ROOTS", ""),
        ("ADYTON_STAMP_ROOTS", "/nowhere"),
        ("ADYTON_STAMP_EVERY_SECONDS", "0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingMalformedError, match=name):
        read(tmp_path, **{name: text})


@pytest.mark.parametrize(
    "pem",
    [b"", b"no certificate", AUTHORITY.pem + b"more", AUTHORITY.pem * 17],
    ids=["none", "other", "more", "many"],
)
def test_roots_that_are_none_or_too_many_are_refused(pem: bytes, tmp_path: Path) -> None:
    with pytest.raises(SettingMalformedError, match="ADYTON_STAMP_ROOTS"):
        read(tmp_path, pem)
