"""Public inputs of a proof: field elements, as bytes that are hashed and as texts in a receipt."""

from collections.abc import Sequence
from typing import Final

from adyton.codec.json import Json, as_list, as_string
from adyton.codec.text import from_hex
from adyton.errors import MalformedError

__all__ = ["public_input_bytes", "public_input_texts", "read_public_inputs"]

_FIELD_SIZE: Final = 32
_PREFIX: Final = "0x"


def public_input_bytes(elements: Sequence[int]) -> bytes:
    """Return the bytes whose digest a statement holds: 32 an element, big-endian."""
    return b"".join(element.to_bytes(_FIELD_SIZE, "big") for element in elements)


def public_input_texts(elements: Sequence[int]) -> list[str]:
    """Return the form in a receipt: ``0x`` and 64 hexadecimal digits an element."""
    return [f"{_PREFIX}{element:064x}" for element in elements]


def read_public_inputs(value: Json, *, limit: int) -> tuple[int, ...]:
    """Return up to ``limit`` elements from a receipt, or raise ``MalformedError``."""
    return tuple(_element(item) for item in as_list(value, "public_inputs", limit=limit))


def _element(value: Json) -> int:
    text = as_string(value, "a public input", limit=len(_PREFIX) + 2 * _FIELD_SIZE)
    if not text.startswith(_PREFIX):
        raise MalformedError("a public input does not begin with 0x")
    digits = text.removeprefix(_PREFIX)
    return int.from_bytes(from_hex(digits, "a public input", size=_FIELD_SIZE), "big")
