"""Checkpoints: what is written is read, and nothing else."""

import base64
import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.mutation import flipped

from adyton.crypto.ed25519 import Ed25519Key
from adyton.errors import MalformedError
from adyton.ledger.checkpoint import (
    Checkpoint,
    CheckpointUnsignedError,
    NoteKey,
    open_checkpoint,
    sign_checkpoint,
    unverified_checkpoint,
)
from adyton.ledger.tree import Hash

SECRET = Ed25519Key(bytes(range(32)))
KEY = NoteKey(name="notary.example/log", public_key=SECRET.public)
CHECKPOINT = Checkpoint(origin=KEY.name, size=12, root=Hash(bytes(range(32))))
NOTE = sign_checkpoint(CHECKPOINT, key=KEY, sign=SECRET.sign)
OTHER_SECRET = Ed25519Key(bytes(32))
OTHER = NoteKey(name="witness.example", public_key=OTHER_SECRET.public)


def signed(text: str, key: NoteKey = KEY, secret: Ed25519Key = SECRET) -> bytes:
    line = base64.b64encode(key.id + secret.sign(text.encode())).decode()
    return f"{text}\n\u2014 {key.name} {line}\n".encode()


def test_a_note_is_text_an_empty_line_and_a_signature() -> None:
    text = "notary.example/log\n12\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    identifier = hashlib.sha256(b"notary.example/log\n\x01" + SECRET.public).digest()[:4]
    line = base64.b64encode(identifier + SECRET.sign(text.encode())).decode()
    assert NOTE.decode() == f"{text}\n\u2014 notary.example/log {line}\n"
    assert open_checkpoint(NOTE, keys=[KEY]) == CHECKPOINT


def test_a_verifier_key_is_one_line() -> None:
    text = KEY.to_text()
    encoded = base64.b64encode(b"\x01" + SECRET.public).decode()
    assert text == f"notary.example/log+{KEY.id.hex()}+{encoded}"
    assert NoteKey.from_text(text) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        "+" + KEY.to_text().split("+", 1)[1],
        KEY.to_text().replace(KEY.id.hex(), "00000000"),
        KEY.to_text().replace("notary", "notary two"),
        KEY.to_text()[:-4],
        "a+00000000+" + base64.b64encode(b"\x02" + SECRET.public).decode(),
    ],
)
def test_a_verifier_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        NoteKey.from_text(text)


def test_signatures_of_others_are_skipped() -> None:
    text = CHECKPOINT.to_text()
    line = signed(text, OTHER, OTHER_SECRET).decode().rpartition("\n\n")[2]
    assert open_checkpoint(NOTE + line.encode(), keys=[KEY]) == CHECKPOINT


def test_a_false_signature_under_our_name_counts_against_the_note() -> None:
    line = signed("something else\n", KEY, SECRET).decode().rpartition("\n\n")[2]
    with pytest.raises(CheckpointUnsignedError):
        open_checkpoint(NOTE + line.encode(), keys=[KEY])


@pytest.mark.parametrize("keys", [[], [OTHER]])
def test_a_note_of_unknown_keys_is_unsigned(keys: list[NoteKey]) -> None:
    with pytest.raises(CheckpointUnsignedError):
        open_checkpoint(NOTE, keys=keys)


def test_what_a_note_says_is_read_whoever_signed_it() -> None:
    note = sign_checkpoint(CHECKPOINT, key=OTHER, sign=OTHER_SECRET.sign)
    assert unverified_checkpoint(note) == CHECKPOINT
    with pytest.raises(CheckpointUnsignedError):
        open_checkpoint(note, keys=[KEY])
    with pytest.raises(MalformedError, match="no signatures"):
        unverified_checkpoint(CHECKPOINT.to_text().encode())


def test_one_log_does_not_speak_for_another() -> None:
    note = signed(CHECKPOINT.to_text(), OTHER, OTHER_SECRET)
    with pytest.raises(CheckpointUnsignedError):
        open_checkpoint(note, keys=[KEY, OTHER])


def test_extensions_are_kept() -> None:
    extended = Checkpoint(origin="a", size=0, root=Hash(bytes(32)), extensions=("head 7", "x"))
    key = NoteKey(name="a", public_key=SECRET.public)
    note = sign_checkpoint(extended, key=key, sign=SECRET.sign)
    assert open_checkpoint(note, keys=[key]) == extended


@pytest.mark.parametrize(
    "text",
    [
        "notary.example/log\n12\n",
        "notary.example/log\n012\n" + "A" * 43 + "=\n",
        "notary.example/log\n-1\n" + "A" * 43 + "=\n",
        "notary.example/log\n\u0661\n" + "A" * 43 + "=\n",
        "notary.example/log\n9223372036854775808\n" + "A" * 43 + "=\n",
        "notary.example/log\n12\nAAAA\n",
        "notary.example/log\n12\n" + "A" * 43 + "\n",
        "\n12\n" + "A" * 43 + "=\n",
        "notary.example/log\n12\n" + "A" * 43 + "=\n\nmore\n",
        "notary.example/log\n12\n" + "A" * 43 + "=\r\n",
        "notary.example/log\n12\n" + "A" * 43 + "=\n" + "x\n" * 17,
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        open_checkpoint(signed(text), keys=[KEY])


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\xff",
        NOTE[:-1],
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace("\u2014".encode(), b"-"),
        NOTE.replace(b" notary.example/log ", b" "),
        NOTE + b"\n",
        NOTE + "\u2014 x AAAA\n".encode(),
        NOTE + "\u2014 a+b AAAAAAAA\n".encode(),
        NOTE + "\u2014 x AAAAAAAA\n".encode() * 101,
        NOTE + b"x" * 70_000,
    ],
)
def test_what_is_no_note_is_refused(note: bytes) -> None:
    with pytest.raises(MalformedError):
        open_checkpoint(note, keys=[KEY])


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_flipped_bit_opens(bit: int) -> None:
    with pytest.raises((MalformedError, CheckpointUnsignedError)):
        open_checkpoint(flipped(NOTE, bit), keys=[KEY])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_or_malformed(data: bytes) -> None:
    with suppress(MalformedError, CheckpointUnsignedError):
        open_checkpoint(data, keys=[KEY])


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": ""},
        {"origin": "a\nb"},
        {"size": -1},
        {"size": 2**63},
        {"root": Hash(bytes(31))},
        {"extensions": ("",)},
        {"extensions": ("x",) * 17},
    ],
)
def test_no_checkpoint_is_made_of_wrong_arguments(fields: dict[str, object]) -> None:
    good: dict[str, object] = {"origin": "a", "size": 0, "root": Hash(bytes(32))}
    with pytest.raises(ValueError):
        Checkpoint(**{**good, **fields})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("name", "key"), [("", bytes(32)), ("a b", bytes(32)), ("a+b", bytes(32)), ("a", bytes(31))]
)
def test_no_key_is_made_of_wrong_arguments(name: str, key: bytes) -> None:
    with pytest.raises(ValueError):
        NoteKey(name=name, public_key=key)


def test_a_signature_of_another_size_is_not_written() -> None:
    with pytest.raises(ValueError):
        sign_checkpoint(CHECKPOINT, key=KEY, sign=lambda _: bytes(63))
