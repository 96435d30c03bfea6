import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.jose import MAX_TOKEN_BYTES, Jws, encode
from adyton.codec.text import to_base64url
from adyton.errors import MalformedError


def token(head: bytes = b'{"alg":"ES256"}', payload: bytes = b"{}", tail: bytes = b"sig") -> str:
    return ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (head, payload, tail)
    )


def test_a_token_is_read_and_keeps_what_was_signed() -> None:
    found = Jws.from_text(token())
    assert found.untrusted_header == {"alg": "ES256"}
    assert (found.algorithm, found.payload, found.signature) == ("ES256", b"{}", b"sig")
    assert found.signing_input == token().rpartition(".")[0].encode()
    assert encode(b'{"alg":"ES256"}', b"{}") == found.signing_input


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        token() + ".more",
        token() + "=",
        token() + "\n",
        " " + token(),
        token().replace(".", ".=", 1),
        token(tail=b"s")[:-1] + "x",
        token(head=b"[]"),
        token(head=b"{}"),
        token(head=b'{"alg":1}'),
        token(head=b'{"alg":"none","alg":"ES256"}'),
        token(head=b'{"alg":"ES256","crit":[]}'),
        token(head=b'{"alg":"ES256","b64":false}'),
        token(head=b'{"alg":"ES256","zip":"DEF"}'),
        token(head=b'{"alg":"ES256","a":' + b"[" * 40 + b"]" * 40 + b"}"),
        token(tail=bytes(513)),
        token(payload=bytes(MAX_TOKEN_BYTES)),
        token().replace(".", "é.", 1),
        token().replace(".", "é.", 1).replace("é", "\u0661"),
    ],
    ids=[
        "nothing",
        "two parts",
        "four parts",
        "padding",
        "newline",
        "blank",
        "padding inside",
        "unused bits",
        "list",
        "no algorithm",
        "number",
        "duplicate",
        "critical",
        "unencoded",
        "compressed",
        "depth",
        "signature",
        "size",
        "letter",
        "digit",
    ],
)
def test_what_is_not_a_token_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        Jws.from_text(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_malformed(text: str) -> None:
    try:
        found = Jws.from_text(text)
    except MalformedError:
        return
    assert text == f"{found.signing_input.decode()}.{to_base64url(found.signature)}"
