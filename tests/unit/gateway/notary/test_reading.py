"""What is read of a commit's request, and what is refused before anything is committed."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.javascript import canonical
from adyton.errors import MalformedError
from adyton.gateway.notary.reading import read_key, read_submission
from adyton.ledger.records import Submission, check_metadata

DIGEST = bytes(range(32))
INDENTS: st.SearchStrategy[int | str | None] = st.sampled_from([None, 0, 1, "\t", "\n"])
CHANGES = st.sampled_from([*'"{}[],:\\/+=', " ", "\t", "\f", "\0", "é", "A", "B", "", '"digests":'])


def shown(digest: bytes = DIGEST) -> dict[str, str]:
    return {"digestB64": base64.b64encode(digest).decode(), "hashAlg": "sha256"}


def request(**more: Any) -> bytes:
    return json.dumps({"digests": [shown()], **more}).encode()


def test_a_request_is_read() -> None:
    body = json.dumps({"digests": [shown(), shown(bytes(32))], "attestation": "fresh"}).encode()
    found = read_submission(body, key=b"k")
    assert found.digests == (DIGEST, bytes(32))
    assert (found.key, found.fresh, found.metadata) == (b"k", True, b"")


def test_a_previous_proof_that_is_named_means_nothing() -> None:
    assert read_submission(request(prevProofId="x")) == read_submission(request())


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
        max_size=5,
    )
)
def test_metadata_become_the_bytes_that_the_notary_wants(metadata: dict[str, Any]) -> None:
    body = b'{"digests":[%b],"metadata":%b}' % (json.dumps(shown()).encode(), canonical(metadata))
    found = read_submission(body)
    check_metadata(found.metadata)
    assert found.metadata == canonical(metadata)


@pytest.mark.parametrize(
    "more",
    [
        {"digests": [shown()] * 4097},
        {"digests": [shown(b"short")]},
        {"digests": [{**shown(), "hashAlg": "SHA256"}]},
        {"digests": [{"digestB64": shown()["digestB64"]}]},
        {"digests": [{**shown(), "digestB64": shown()["digestB64"].replace("=", "")}]},
        {"metadata": None},
        {"metadata": "text"},
        {"metadata": {"a": [[[[[[[[1]]]]]]]]}},
        {"metadata": {"a": "x" * 4096}},
        {"metadata": {"a": "x" * 4000}, "digests": [shown()] * 300},
        {"attestation": None},
        {"attestation": ["fresh"]},
        {"prevProofId": 1},
        {"policy": {}},
    ],
    ids="-".join,
)
def test_what_is_wrong_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read_submission(request(**more))


def test_what_is_asked_for_and_nobody_signs_is_named() -> None:
    with pytest.raises(MalformedError, match="'chainId'"):
        read_submission(request(chainId="x"))


def outcome(body: bytes) -> Submission | type[MalformedError]:
    try:
        return read_submission(body)
    except MalformedError:
        return MalformedError


@given(data=st.data(), count=st.integers(min_value=1, max_value=3))
def test_nothing_but_digests_is_read_as_it_is_among_other_things(
    data: st.DataObject, count: int
) -> None:
    digests = data.draw(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=count))
    text = json.dumps({"digests": [shown(digest) for digest in digests]}, indent=data.draw(INDENTS))
    assert outcome(text.encode()) == Submission(digests=tuple(digests))
    at = data.draw(st.integers(min_value=0, max_value=len(text) - 2))
    changed = text[:at] + data.draw(CHANGES) + text[at + data.draw(st.integers(0, 1)) :]
    among = changed[:-1] + ',"prevProofId":"x"}'
    assert outcome(changed.encode()) == outcome(among.encode())


@pytest.mark.parametrize("count", [4096, 4097])
def test_no_more_digests_than_there_may_be(count: int) -> None:
    found = outcome(request(digests=[shown()] * count))
    expected = Submission(digests=(DIGEST,) * 4096) if count == 4096 else MalformedError
    assert found == expected


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_submission(data)


def test_one_key_of_two_callers_is_two_keys() -> None:
    assert read_key(None, caller="a") == b""
    assert len({read_key("k", caller=caller) for caller in ("a", "b", "")}) == 3
    assert read_key("k", caller="a") == read_key("k", caller="a")


@pytest.mark.parametrize("text", ["", "x" * 257, "a\nb", "é"], ids=["empty", "long", "line", "é"])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        read_key(text, caller="a")
