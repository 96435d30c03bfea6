import gzip
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.adapters.acvm import BytecodeMalformedError, Program


def packed(
    *,
    private: object = (1, 3),
    public: object = (0, 2),
    returned: object = (7, 5),
    helpers: object = (),
    main: Callable[[list[Any]], list[Any]] = lambda function: function,
) -> bytes:
    function = ["main", [], private, public, returned, []]
    return b"\x03" + bytes(msgpack.packb([[main(function)], helpers]))


def test_public_parameters_come_before_what_is_returned() -> None:
    program = Program.from_bytecode(gzip.compress(packed()))
    assert program.private_parameters == (1, 3)
    assert program.public_parameters == (0, 2)
    assert program.returned == (7, 5)
    assert program.public_inputs == (0, 2, 7, 5)


def test_the_prover_gets_the_bytes_without_compression() -> None:
    acir = packed()
    bytecode = gzip.compress(acir)
    program = Program.from_bytecode(bytecode)
    assert (program.bytecode, program.acir) == (bytecode, acir)


@pytest.mark.parametrize(
    "bytecode",
    [
        b"",
        b"not gzip",
        gzip.compress(packed())[:-1],
        gzip.compress(packed()) + b"tail",
        gzip.compress(b""),
        gzip.compress(b"\x02" + packed()[1:]),
        gzip.compress(b"\x03"),
        gzip.compress(packed() + b"tail"),
        gzip.compress(packed(private="1")),
        gzip.compress(packed(public=(-1,))),
        gzip.compress(packed(public=(True,))),
        gzip.compress(packed(returned=(2**32,))),
        gzip.compress(packed(helpers={})),
        gzip.compress(packed(main=lambda function: function[:-1])),
    ],
)
def test_a_broken_program_is_refused(bytecode: bytes) -> None:
    with pytest.raises(BytecodeMalformedError):
        Program.from_bytecode(bytecode)


def test_a_program_that_unpacks_to_too_much_is_refused() -> None:
    with pytest.raises(BytecodeMalformedError):
        Program.from_bytecode(gzip.compress(bytes(65 * 1024 * 1024)))


@given(st.binary(max_size=512))
def test_any_bytes_are_a_program_or_malformed(data: bytes) -> None:
    for bytecode in (data, gzip.compress(data), gzip.compress(b"\x03" + data)):
        with suppress(BytecodeMalformedError):
            assert Program.from_bytecode(bytecode).bytecode == bytecode
