"""The development policy names one root, and what the worker was told to trust beside it."""

import hashlib
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adyton.adapters.insecure import ROOT_NAME, InsecurePlatform
from adyton.appraisal.policy import Policy
from adyton.cli.development import (
    CertificatesUnreadableError,
    certificate_digests,
    development_policy,
    write_whole,
)
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
