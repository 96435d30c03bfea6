import struct

import pytest

from adyton.adapters.acvm.heap import Heap

TEXT = b"0x" + b"0" * 63 + b"7" + b"a message"
COLLECTION = struct.pack("<IIII", 3, 0, 0, 0)
ELEMENT = struct.pack("<IIII", 2, 0, 0, 66)
MESSAGE = struct.pack("<IIII", 2, 0, 66, 9)
INDEX = struct.pack("<IId", 1, 0, 5.0)

# By handle: a stack, a frame, its map, an index, an element, a message.
OBJECTS = (COLLECTION, COLLECTION, COLLECTION, INDEX, ELEMENT, MESSAGE)
STACK, FRAME, MAP, FIVE, SEVEN, WORDS = range(6)
# By owner, key and value.
ENTRIES = ((STACK, 0, FRAME), (FRAME, WORDS, FIVE), (FRAME, WORDS, MAP), (MAP, FIVE, SEVEN))


def heap(
    objects: tuple[bytes, ...] = OBJECTS, entries: tuple[tuple[int, int, int], ...] = ENTRIES
) -> Heap:
    return Heap(
        objects=b"".join(objects),
        entries=b"".join(struct.pack("<III", *entry) for entry in entries),
        text=TEXT,
    )


def test_the_map_of_the_one_frame_is_the_witness() -> None:
    witness = heap().witness(STACK)
    assert witness is not None
    assert witness.values == {5: 7}


@pytest.mark.parametrize(
    "broken",
    [
        heap(entries=()),
        heap(entries=(*ENTRIES, (STACK, 0, FRAME))),
        heap(entries=ENTRIES[:2]),
        heap(entries=(*ENTRIES, (FRAME, WORDS, MAP))),
        heap(entries=(*ENTRIES[:3], (MAP, FIVE, WORDS))),
    ],
    ids=["no frame", "two frames", "no map", "two maps", "no element"],
)
def test_anything_else_is_no_witness(broken: Heap) -> None:
    assert broken.witness(STACK) is None


def test_the_first_entry_of_an_error_is_its_message() -> None:
    error = heap(entries=((STACK, 0, WORDS), (STACK, WORDS, SEVEN)))
    assert error.message(STACK) == b"a message"
    assert error.message(FRAME) == b""
    assert heap().message(STACK) == b""
