from typing import Any

import pytest
from tests.fakes.nvidia import DEVICE_NONCE, NONCE, FakeNvidia, block

from adyton.errors import MalformedError
from adyton.evidence.nvidia.layout import MAX_TRANSCRIPT_BYTES, Transcript

VENDOR = FakeNvidia("ls10")
VALUES = VENDOR.values()


def test_a_transcript_is_read_in_all_its_parts() -> None:
    data = VENDOR.transcript(slot=b"\7", response=bytes.fromhex("11600007"))
    found = Transcript.from_bytes(data)
    assert (found.nonce, found.device_nonce, found.slot) == (NONCE, DEVICE_NONCE, 7)
    assert [item.index for item in found.blocks] == list(range(1, 32))
    assert [item.value for item in found.blocks] == VALUES
    assert {item.value_type for item in found.blocks} == {1}
    assert found.opaque == dict(VENDOR.opaque())
    assert found.signed_bytes + found.signature == data
    assert len(found.signature) == 96


def test_a_measurement_that_is_not_a_digest_may_have_any_size() -> None:
    record = block(1, b"raw", kind=0x83) + block(7, VALUES[1])
    found = Transcript.from_bytes(VENDOR.transcript(record=record, count=2))
    assert [(item.index, item.value_type, len(item.value)) for item in found.blocks] == [
        (1, 0x83, 3),
        (7, 1, 48),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"request": bytes.fromhex("10e001ff")}, id="version of the request"),
        pytest.param({"request": bytes.fromhex("11e101ff")}, id="code of the request"),
        pytest.param({"request": bytes.fromhex("11e000ff")}, id="no signature asked for"),
        pytest.param({"request": bytes.fromhex("11e00101")}, id="one measurement asked for"),
        pytest.param({"slot": b"\x08"}, id="slot"),
        pytest.param({"response": bytes.fromhex("12600000")}, id="version of the response"),
        pytest.param({"response": bytes.fromhex("117f0000")}, id="an error"),
        pytest.param({"response": bytes.fromhex("11600100")}, id="parameter"),
        pytest.param({"response": bytes.fromhex("11600001")}, id="another slot"),
        pytest.param({"count": 30}, id="fewer measurements"),
        pytest.param({"count": 32}, id="more measurements"),
        pytest.param({"record": b"", "count": 0}, id="no measurement"),
        pytest.param({"record": block(0, VALUES[1]), "count": 1}, id="index zero"),
        pytest.param({"record": block(255, VALUES[1]), "count": 1}, id="index 255"),
        pytest.param({"record": block(1, VALUES[1]) * 2, "count": 2}, id="the same index"),
        pytest.param({"record": block(2, VALUES[1]) + block(1, VALUES[1]), "count": 2}, id="order"),
        pytest.param(
            {"record": block(1, VALUES[1], specification=2), "count": 1}, id="specification"
        ),
        pytest.param({"record": block(1, VALUES[1][:47]), "count": 1}, id="a short digest"),
        pytest.param({"record": block(1, VALUES[1])[:-1], "count": 1}, id="a cut measurement"),
        pytest.param(
            {"record": b"\1\1\x34\0\1\x30\0" + VALUES[1] + b"\0", "count": 1}, id="behind a value"
        ),
        pytest.param({"opaque": [(6, b"a"), (6, b"b")]}, id="a field twice"),
        pytest.param({"opaque_bytes": b"\6\0\5\0abc"}, id="a cut field"),
        pytest.param({"opaque_bytes": bytes(1028)}, id="long opaque data"),
    ],
)
def test_a_transcript_that_breaks_the_tables_is_malformed(broken: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        Transcript.from_bytes(VENDOR.transcript(**broken))


def test_nothing_stands_behind_the_signature() -> None:
    with pytest.raises(MalformedError, match="too many"):
        Transcript.from_bytes(VENDOR.transcript() + b"\0")


def test_a_transcript_has_a_limit() -> None:
    with pytest.raises(MalformedError, match="limit"):
        Transcript.from_bytes(bytes(MAX_TRANSCRIPT_BYTES + 1))
