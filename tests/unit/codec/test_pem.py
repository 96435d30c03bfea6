import pytest

from adyton.codec.pem import MAX_CERTIFICATE_BYTES, read_chain
from adyton.codec.text import to_base64
from adyton.errors import MalformedError

FIRST, SECOND = b"one certificate", bytes(range(200))


def pem(data: bytes, end: str = "\n") -> bytes:
    text = to_base64(data)
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----{end}".encode()


@pytest.mark.parametrize("end", ["\n", "", "\0", "\n\0"], ids=["line", "none", "zero", "both"])
def test_certificates_are_read_in_their_order(end: str) -> None:
    found = read_chain(pem(FIRST) + pem(SECOND, end), "the chain", size=2)
    assert found == (FIRST, SECOND)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="none"),
        pytest.param(pem(FIRST), id="one"),
        pytest.param(pem(FIRST) * 3, id="three"),
        pytest.param(b"\n" + pem(FIRST) * 2, id="before"),
        pytest.param(pem(FIRST) * 2 + b"x", id="behind"),
        pytest.param(pem(FIRST) + b"\n" + pem(SECOND), id="between"),
        pytest.param(pem(FIRST) + pem(SECOND).replace(b"CERTIFICATE", b"PUBLIC KEY"), id="a key"),
        pytest.param(pem(FIRST) + pem(SECOND).replace(b"A", b"?"), id="no base64"),
        pytest.param(pem(FIRST) + pem(bytes(MAX_CERTIFICATE_BYTES + 1)), id="large"),
        pytest.param(pem(FIRST) + pem(SECOND).replace(b"\n", b"\r\n"), id="other line ends"),
    ],
)
def test_what_is_not_two_certificates_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_chain(data, "the chain", size=2)
