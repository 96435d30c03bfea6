"""A receipt and a policy in whatever form they are in; a file that is none is named."""

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.appraisal.policies import GOOD

from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.errors import MalformedError
from adyton.sdk.client import Client
from adyton.sdk.verifying import FileUnreadableError, read_policy, read_receipt

RECORD: JsonObject = Policy.from_json(GOOD).to_json()
EXPECTED = Policy.from_json(RECORD)


def test_a_policy_may_be_read_already_a_mapping_bytes_or_a_file(tmp_path: Path) -> None:
    text = json.dumps(RECORD)
    path = tmp_path / "policy.json"
    path.write_text(text)
    for source in (EXPECTED, RECORD, text.encode(), path, str(path)):
        assert read_policy(source) == EXPECTED


def test_a_client_takes_its_policy_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(RECORD))
    with Client("https://gateway", api_key="k", policy=path) as client:
        assert client is not None


def test_a_client_refuses_a_file_of_roots_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    path.write_text("nothing")
    with pytest.raises(ssl.SSLError):
        Client("https://gateway", api_key="k", policy=EXPECTED, ca_file=path)


@pytest.mark.parametrize("read", [read_policy, read_receipt])
def test_a_file_that_is_wrong_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "file.json"
    with pytest.raises(FileUnreadableError, match=r"file\.json cannot be read"):
        read(path)
    path.write_text("{}")
    with pytest.raises(MalformedError, match=r"file\.json: "):
        read(path)
    path.write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(MalformedError, match="has more than 1048576 bytes"):
        read(path)


@pytest.mark.parametrize("source", [b"{}", {}])
def test_what_is_no_receipt_is_malformed(source: bytes | JsonObject) -> None:
    with pytest.raises(MalformedError):
        read_receipt(source)
