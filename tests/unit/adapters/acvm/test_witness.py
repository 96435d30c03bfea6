import msgpack
from hypothesis import given
from hypothesis import strategies as st

from adyton.adapters.acvm import Witness

elements = st.dictionaries(st.integers(0, 2**32 - 1), st.binary(min_size=32, max_size=32))


@given(elements)
def test_values_are_what_was_given(values: dict[int, bytes]) -> None:
    witness = Witness(values, b"".join(values.values()))
    assert witness.values == {index: int.from_bytes(value) for index, value in values.items()}
    assert witness.select(values) == tuple(witness.values.values())
    assert list(witness) == list(values)
    assert len(witness) == len(values)


@given(elements)
def test_the_prover_reads_one_stack_of_one_frame(values: dict[int, bytes]) -> None:
    data = Witness(values, b"".join(values.values())).to_bytes()
    assert data[:1] == b"\x03"
    assert msgpack.unpackb(data[1:], strict_map_key=False) == [[[0, values]]]


def test_the_bytes_are_those_that_the_format_names() -> None:
    witness = Witness([0, 200], bytes(31) + b"\x07" + bytes(30) + b"\x01\x00")
    assert witness.to_bytes() == bytes.fromhex(
        "03 91 91 92 00 8200 c4 20" + "00" * 31 + "07cc c8 c4 20" + "00" * 30 + "0100"
    )


def test_a_value_is_not_in_the_text_of_a_witness() -> None:
    assert "7" not in repr(Witness([0], bytes(31) + b"\x07")).split(" at ")[0]
