import base64
import json
from typing import Any

import pytest
from tests.fakes.nvidia import NONCE, FakeNvidia

from adyton.errors import MalformedError
from adyton.evidence.nvidia.serialized import read_evidence

VENDOR = FakeNvidia("ls10")
TRANSCRIPT = VENDOR.transcript()
FILE = VENDOR.file(transcript=TRANSCRIPT)
DEVICE: dict[str, Any] = json.loads(FILE)[0]


def test_each_form_of_a_file_is_read() -> None:
    request = {"nonce": NONCE.hex().upper(), "arch": "LS10", "evidence_list": [DEVICE, DEVICE]}
    bare = {name: DEVICE[name] for name in ("evidence", "certificate")}
    for document, count in (
        ([DEVICE], 1),
        ([bare, DEVICE], 2),
        ({"evidences": [DEVICE], "result_code": 0}, 1),
        (request, 2),
        ({**request, "evidence_list": [bare]}, 1),
    ):
        found = read_evidence(json.dumps(document).encode())
        assert len(found) == count
        assert {item.transcript for item in found} == {TRANSCRIPT}
        assert {item.chain for item in found} == {VENDOR.chain}


def test_a_report_with_its_certificates_behind_it_is_read() -> None:
    (found,) = read_evidence(TRANSCRIPT + PEM)
    assert (found.transcript, found.chain) == (TRANSCRIPT, VENDOR.chain)
    for broken in (TRANSCRIPT, TRANSCRIPT + PEM[1:], TRANSCRIPT + PEM + b"x" * 1024 * 1024):
        with pytest.raises(MalformedError):
            read_evidence(broken)


def changed(**changes: Any) -> bytes:
    return VENDOR.file(transcript=TRANSCRIPT, **changes)


PEM = base64.b64decode(DEVICE["certificate"])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="no device"),
        pytest.param(b"{}", id="no list"),
        pytest.param(b"[1]", id="no object"),
        pytest.param(json.dumps([DEVICE] * 65).encode(), id="many devices"),
        pytest.param(changed(nonce="00" * 32), id="another nonce"),
        pytest.param(changed(nonce=7), id="no nonce"),
        pytest.param(changed(evidence="?"), id="no base64"),
        pytest.param(changed(evidence=None), id="no evidence"),
        pytest.param(changed(evidence="A" * 20000), id="a long report"),
        pytest.param(changed(certificate=None), id="no certificates"),
        pytest.param(
            changed(certificate=base64.b64encode(PEM[:-100]).decode()), id="four certificates"
        ),
        pytest.param(
            changed(certificate=base64.b64encode(PEM + b"x").decode()), id="behind certificates"
        ),
        pytest.param(bytes(1024 * 1024 + 1), id="large"),
    ],
)
def test_a_file_of_another_form_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_evidence(data)
