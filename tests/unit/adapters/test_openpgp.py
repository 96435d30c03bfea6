"""Opening OpenPGP messages: what comes out, how much of it, and what is refused."""

import builtins
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.adapters.openpgp import (
    OpenPgpMissingError,
    OpenPgpRejectedError,
    OpenPgpTooLargeError,
    open_message,
)
from adyton.crypto.openpgp import OpenPgpCurve, OpenPgpKey

pysequoia = pytest.importorskip("pysequoia")

CREATED = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
KEYS = {curve: OpenPgpKey.generate(curve, created=CREATED) for curve in OpenPgpCurve}
KEY = KEYS[OpenPgpCurve.X25519]
LIMIT = 1024 * 1024
DESCRIPTORS = Path("/proc/self/fd")


def sealed(plaintext: bytes, key: OpenPgpKey = KEY) -> bytes:
    recipient = pysequoia.Cert.from_bytes(key.public.encode())
    message: bytes = pysequoia.encrypt(plaintext, recipients=[recipient], armor=False)
    return message


@pytest.mark.parametrize("curve", OpenPgpCurve)
def test_a_message_opens_with_the_key_that_it_is_for(curve: OpenPgpCurve) -> None:
    message = sealed(b"witness" * 1000, KEYS[curve])

    opened = open_message(message, key=KEYS[curve].secret, limit_bytes=LIMIT)

    assert opened == b"witness" * 1000


def test_a_message_for_another_key_is_refused() -> None:
    message = sealed(b"witness", KEYS[OpenPgpCurve.P256])

    with pytest.raises(OpenPgpRejectedError) as caught:
        open_message(message, key=KEY.secret, limit_bytes=LIMIT)

    assert "stack" not in str(caught.value).lower()


@given(position=st.integers(min_value=0, max_value=2**20), bit=st.integers(0, 7))
def test_a_changed_bit_is_refused_or_changes_nothing(position: int, bit: int) -> None:
    message = bytearray(MESSAGE)
    message[position % len(message)] ^= 1 << bit

    try:
        opened = open_message(bytes(message), key=KEY.secret, limit_bytes=LIMIT)
    except OpenPgpRejectedError:
        return
    # A bit in the key's identifier, say: what is sealed is what was sealed.
    assert opened == PLAINTEXT


PLAINTEXT = b"a witness"
MESSAGE = sealed(PLAINTEXT)


@given(st.binary(max_size=512))
def test_any_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(OpenPgpRejectedError):
        open_message(data, key=KEY.secret, limit_bytes=LIMIT)


def test_a_message_at_the_limit_opens_and_one_byte_more_does_not() -> None:
    exact, more = sealed(bytes(5000)), sealed(bytes(5001))

    assert len(open_message(exact, key=KEY.secret, limit_bytes=5000)) == 5000
    with pytest.raises(OpenPgpTooLargeError):
        open_message(more, key=KEY.secret, limit_bytes=5000)


def test_the_limit_on_files_is_as_before_afterwards() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    with pytest.raises(OpenPgpTooLargeError):
        open_message(sealed(bytes(5001)), key=KEY.secret, limit_bytes=5000)

    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before


def test_no_descriptor_is_left_open() -> None:
    open_message(MESSAGE, key=KEY.secret, limit_bytes=LIMIT)
    before = len(list(DESCRIPTORS.iterdir()))

    open_message(MESSAGE, key=KEY.secret, limit_bytes=LIMIT)
    with pytest.raises(OpenPgpRejectedError):
        open_message(b"", key=KEY.secret, limit_bytes=LIMIT)

    assert len(list(DESCRIPTORS.iterdir())) == before


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    importing: Callable[..., ModuleType] = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> ModuleType:
        if name == "pysequoia":
            raise ImportError(name)
        return importing(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(OpenPgpMissingError, match=r"\.\[openpgp\]"):
        open_message(MESSAGE, key=KEY.secret, limit_bytes=LIMIT)
