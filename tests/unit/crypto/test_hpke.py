"""What is sealed opens with one key, under one question, and in no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.crypto.hpke import OpeningKey, SealRejectedError, SealSuite, seal
from adyton.errors import MalformedError

KEY = OpeningKey.generate()
SUITES = list(SealSuite)


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_sealed_opens(suite: SealSuite) -> None:
    box = seal(KEY.public[suite], b"secret", suite=suite, info=b"question")
    assert KEY.open(box, info=b"question") == b"secret"


@pytest.mark.parametrize("suite", SUITES)
def test_the_keys_survive_the_way_into_a_cell(suite: SealSuite) -> None:
    box = seal(KEY.public[suite], b"secret", suite=suite, info=b"question")
    assert OpeningKey.from_bytes(KEY.to_bytes()).open(box, info=b"question") == b"secret"


@pytest.mark.parametrize("suite", SUITES)
def test_a_box_for_another_worker_does_not_open(suite: SealSuite) -> None:
    box = seal(OpeningKey.generate().public[suite], b"secret", suite=suite, info=b"question")
    with pytest.raises(SealRejectedError):
        KEY.open(box, info=b"question")


@pytest.mark.parametrize("suite", SUITES)
def test_a_box_under_another_question_does_not_open(suite: SealSuite) -> None:
    box = seal(KEY.public[suite], b"secret", suite=suite, info=b"question")
    with pytest.raises(SealRejectedError):
        KEY.open(box, info=b"another question")


@pytest.mark.parametrize("suite", SUITES)
@given(data=st.data())
def test_no_flipped_bit_opens(suite: SealSuite, data: st.DataObject) -> None:
    box = bytearray(seal(KEY.public[suite], b"secret", suite=suite, info=b"question"))
    bit = data.draw(st.integers(0, len(box) * 8 - 1))
    box[bit // 8] ^= 1 << bit % 8
    with pytest.raises((SealRejectedError, MalformedError)):
        KEY.open(bytes(box), info=b"question")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(box: bytes) -> None:
    with pytest.raises((SealRejectedError, MalformedError)):
        KEY.open(box, info=b"question")


def test_a_key_of_the_wrong_size_is_refused() -> None:
    for suite in SUITES:
        with pytest.raises(MalformedError):
            seal(bytes(31), b"secret", suite=suite, info=b"")
