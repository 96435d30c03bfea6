"""Checkpoints of a log: C2SP tlog-checkpoint, in a C2SP signed note.

A checkpoint is three lines (the log's name, its size, its root), then extension lines. A note is a
text, an empty line, and a line ``— name base64`` for each signature, over the text with its last
newline. A signature of a key that the reader does not know is skipped, as the format wants: other
people's signatures are added to a note after ours.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from adyton.codec.text import exact_base64, from_base64, from_hex, to_base64
from adyton.crypto.ed25519 import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, check_ed25519
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError, RejectedError
from adyton.ledger.tree import HASH_SIZE, MAX_SIZE, Hash

__all__ = [
    "MAX_CHECKPOINT_BYTES",
    "Checkpoint",
    "CheckpointUnsignedError",
    "NoteKey",
    "open_checkpoint",
    "sign_checkpoint",
    "unverified_checkpoint",
]

MAX_CHECKPOINT_BYTES: Final = 64 * 1024
_MAX_SIGNATURES: Final = 100
_MAX_NAME: Final = 256
_MAX_EXTENSIONS: Final = 16
_MAX_SIGNATURE_TEXT: Final = 8 * 1024
# signed-note: the first byte of a public key says which algorithm it is for.
_ED25519: Final = b"\x01"
_KEY_ID_SIZE: Final = 4
_DASH: Final = "\u2014 "
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SPACE: Final = re.compile(r"\s|\+")


class CheckpointUnsignedError(RejectedError):
    """No signature on the checkpoint is one of a key that is accepted here."""

    code = "checkpoint-unsigned"

    def __init__(self, *, names: tuple[str, ...]) -> None:
        known = " or ".join(dict.fromkeys(names)) or "any key"
        super().__init__(f"the checkpoint is not signed by {known}")
        self.names = names


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A name and the Ed25519 key that signs notes under it."""

    name: str
    public_key: bytes
    _id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise ValueError(f"a key's name has no spaces and no plus: {self.name!r}")
        if len(self.public_key) != PUBLIC_KEY_SIZE:
            raise ValueError(f"a public key has {PUBLIC_KEY_SIZE} bytes")
        hashed = sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key)
        object.__setattr__(self, "_id", hashed[:_KEY_ID_SIZE])

    @property
    def id(self) -> bytes:
        """The four bytes that a signature begins with. They find a key; they prove nothing."""
        return self._id

    def to_text(self) -> str:
        """Return the verifier key, in one line: ``name+id+key``."""
        return f"{self.name}+{self.id.hex()}+{to_base64(_ED25519 + self.public_key)}"

    @classmethod
    def from_text(cls, text: str) -> "NoteKey":
        """Return the key of a verifier line, or raise ``MalformedError``."""
        if len(parts := text.split("+", 2)) != _KEY_PARTS:
            raise MalformedError("a verifier key is name+id+key")
        name, identifier, key_text = parts
        key = from_base64(key_text, "a verifier key", limit_bytes=1 + PUBLIC_KEY_SIZE)
        if not _is_name(name) or key[:1] != _ED25519 or len(key) != 1 + PUBLIC_KEY_SIZE:
            raise MalformedError("a verifier key is for a name and of ed25519")
        made = cls(name=name, public_key=key[1:])
        if from_hex(identifier, "a verifier key's id", size=_KEY_ID_SIZE) != made.id:
            raise MalformedError("a verifier key's id is not that of its name and key")
        return made


_KEY_PARTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A log of this name had this size and this root. ``extensions`` are the signer's own lines."""

    origin: str
    size: int
    root: Hash
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise ValueError("a checkpoint has the size and the root of a log")
        if not all(_is_line(line) for line in (self.origin, *self.extensions)):
            raise ValueError(
                "the lines of a checkpoint are not empty and have no control characters"
            )
        if len(self.extensions) > _MAX_EXTENSIONS:
            raise ValueError(f"a checkpoint has at most {_MAX_EXTENSIONS} extensions")

    def to_text(self) -> str:
        """Return what is signed, with the newline at its end."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_text(cls, text: str) -> "Checkpoint":
        """Return the checkpoint in a note's text, or raise ``MalformedError``."""
        *lines, last = text.split("\n")
        if last or len(lines) < _CHECKPOINT_LINES or not all(map(_is_line, lines)):
            raise MalformedError("a checkpoint has three lines or more, and none is empty")
        origin, size, root_text, *extensions = lines
        if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
            raise MalformedError("a checkpoint's size is not a decimal number")
        if len(extensions) > _MAX_EXTENSIONS:
            raise MalformedError(f"a checkpoint has more than {_MAX_EXTENSIONS} extensions")
        root = exact_base64(root_text, "a checkpoint's root", size=HASH_SIZE)
        return cls(origin=origin, size=int(size), root=Hash(root), extensions=tuple(extensions))


_CHECKPOINT_LINES: Final = 3


def sign_checkpoint(
    checkpoint: Checkpoint, *, key: NoteKey, sign: Callable[[bytes], bytes]
) -> bytes:
    """Return ``checkpoint`` as a note that ``key``'s owner signed with ``sign``."""
    text = checkpoint.to_text()
    return f"{text}\n{_signature_line(key, sign(text.encode()))}".encode()


def open_checkpoint(data: bytes, *, keys: Iterable[NoteKey]) -> Checkpoint:
    """Return the checkpoint in a note that one of ``keys`` signed.

    1. it is a note: text, an empty line, signature lines;
    2. a signature has the name and the id of an accepted key, and is that key's over the text;
       one that has them and is not that key's counts against the whole note;
    3. the text is a checkpoint, and its log has the name of the key that signed it.

    Not established: that the log shows everybody this checkpoint, or that it is the newest. Raises
    ``MalformedError`` or ``CheckpointUnsignedError``.
    """
    # Step 1
    text, signatures = _read_note(data)
    # Step 2
    accepted = tuple(keys)
    unsigned = CheckpointUnsignedError(names=tuple(key.name for key in accepted))
    signers = set()
    for name, identifier, signature in signatures:
        for key in accepted:
            if (key.name, key.id) != (name, identifier):
                continue
            try:
                check_ed25519(key.public_key, text.encode(), signature)
            except SignatureRejectedError as error:
                raise unsigned from error
            signers.add(name)
    # Step 3: else one log's key would speak for another's.
    checkpoint = Checkpoint.from_text(text)
    if checkpoint.origin not in signers:
        raise unsigned
    return checkpoint


def unverified_checkpoint(note: bytes) -> Checkpoint:
    """Return the checkpoint in ``note``, whoever signed it, or raise ``MalformedError``."""
    text, _ = _read_note(note)
    return Checkpoint.from_text(text)


def _signature_line(key: NoteKey, signature: bytes) -> str:
    if len(signature) != SIGNATURE_SIZE:
        raise ValueError(f"a signature has {SIGNATURE_SIZE} bytes")
    return f"{_DASH}{key.name} {to_base64(key.id + signature)}\n"


def _read_note(data: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    if len(data) > MAX_CHECKPOINT_BYTES:
        raise MalformedError(f"the note has more than {MAX_CHECKPOINT_BYTES} bytes")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("the note is not text in utf-8") from error
    # The last empty line: an earlier one would be text.
    text, empty_line, tail = note.rpartition("\n\n")
    if not empty_line or not tail.endswith("\n"):
        raise MalformedError("the note has no signatures after an empty line")
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise MalformedError(f"the note has more than {_MAX_SIGNATURES} signatures")
    return text + "\n", [_read_signature(line) for line in lines]


def _read_signature(line: str) -> tuple[str, bytes, bytes]:
    if not line.startswith(_DASH):
        raise MalformedError("a signature's line does not begin with a dash")
    name, space, encoded = line[len(_DASH) :].partition(" ")
    if not space or not _is_name(name):
        raise MalformedError("a signature's line has no name")
    data = from_base64(encoded, "a signature", limit_bytes=_MAX_SIGNATURE_TEXT)
    if len(data) <= _KEY_ID_SIZE:
        raise MalformedError("a signature is shorter than its key's id")
    return name, data[:_KEY_ID_SIZE], data[_KEY_ID_SIZE:]


def _is_name(text: str) -> bool:
    return _is_line(text) and len(text) <= _MAX_NAME and not _SPACE.search(text)


def _is_line(text: str) -> bool:
    # Printable in the sense of signed-note: no control characters, and a form in UTF-8.
    return bool(text) and not any(
        character < " " or character == "\x7f" or "\ud800" <= character <= "\udfff"
        for character in text
    )
