"""Public inputs: one text for each element, and no other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.errors import MalformedError
from adyton.model.public_inputs import public_input_bytes, public_input_texts, read_public_inputs

ELEMENTS = st.lists(st.integers(min_value=0, max_value=2**256 - 1), max_size=4)


@given(ELEMENTS)
def test_public_inputs_are_read_back(elements: list[int]) -> None:
    texts = public_input_texts(elements)
    assert read_public_inputs([*texts], limit=4) == tuple(elements)
    assert public_input_bytes(elements).hex() == "".join(text[2:] for text in texts)


@pytest.mark.parametrize(
    "text",
    ["0" * 64, f"0x{'0' * 63}", f"0x{'0' * 65}", f"0X{'0' * 64}", f"0x{'A' * 64}", "", 1, None],
    ids=["bare", "short", "long", "0X", "upper case", "empty", "a number", "nothing"],
)
def test_an_element_has_one_form(text: Any) -> None:
    with pytest.raises(MalformedError):
        read_public_inputs([text], limit=4)


def test_there_are_no_more_than_the_limit() -> None:
    with pytest.raises(MalformedError):
        read_public_inputs([*public_input_texts(range(5))], limit=4)
