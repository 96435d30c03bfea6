from contextlib import suppress

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.adapters.barretenberg import ProverFailedError
from adyton.adapters.barretenberg.frame import MAX_RESPONSE_BYTES, frame_size, pack, unpack


def test_a_request_is_a_length_and_a_list_of_one() -> None:
    frame = pack("Shutdown", {"a": b"\x01"})
    assert frame == bytes.fromhex("11000000 91 92 a8 53687574646f776e 81 a161 c40101")


def test_a_response_is_a_name_and_its_fields() -> None:
    assert unpack(msgpack.packb(["Answer", {"hash": b"\x01"}])) == ("Answer", {"hash": b"\x01"})


def test_a_response_that_is_too_long_is_not_read() -> None:
    assert frame_size(MAX_RESPONSE_BYTES.to_bytes(4, "little")) == MAX_RESPONSE_BYTES
    with pytest.raises(ProverFailedError):
        frame_size((MAX_RESPONSE_BYTES + 1).to_bytes(4, "little"))


def test_a_request_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ValueError, match="limit"):
        pack("Command", {"data": bytes(64 * 1024 * 1024)})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgpack.packb("Answer"),
        msgpack.packb(["Answer"]),
        msgpack.packb(["Answer", {}, 1]),
        msgpack.packb([1, {}]),
        msgpack.packb(["Answer", []]),
        msgpack.packb(["Answer", {}]) + b"\x00",
        b"\xdd\xff\xff\xff\xff",
    ],
)
def test_garbage_is_a_failure_of_the_prover(body: bytes) -> None:
    with pytest.raises(ProverFailedError):
        unpack(body)


@given(st.binary(max_size=256))
def test_any_bytes_are_a_response_or_a_failure(body: bytes) -> None:
    with suppress(ProverFailedError):
        name, fields = unpack(body)
        assert isinstance(name, str)
        assert isinstance(fields, dict)
