"""That a proof is in a log, as one file: C2SP tlog-proof.

The leaf of a log is the hash of a whole canonical proof (``proof_hash``), and a leaf's index is the
proof's counter less one. The file has the leaf's index, its audit path, and the signed checkpoint
that the path leads to; ``extra`` is whatever else: an RFC 3161 time stamp over the note.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from adyton.codec.text import exact_base64, from_base64, to_base64
from adyton.errors import MalformedError
from adyton.ledger.checkpoint import MAX_CHECKPOINT_BYTES, Checkpoint
from adyton.ledger.tree import HASH_SIZE, MAX_SIZE, Hash, leaf_hash, verify_inclusion

__all__ = ["MAX_LOG_PROOF_BYTES", "LogProof", "check_included"]

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
# A path is as long as the tree is high, and a size has 63 bits.
_MAX_PATH: Final = 63
_MAX_EXTRA_BYTES: Final = 64 * 1024
MAX_LOG_PROOF_BYTES: Final = MAX_CHECKPOINT_BYTES + 2 * _MAX_EXTRA_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """An index, an audit path and a note, none of them verified."""

    index: int
    path: tuple[Hash, ...]
    note: bytes = field(repr=False)
    extra: bytes = field(default=b"", repr=False)

    def to_bytes(self) -> bytes:
        """Return the file."""
        lines = [_HEADER]
        if self.extra:
            lines.append(_EXTRA + to_base64(self.extra))
        lines += [f"index {self.index}", *map(to_base64, self.path), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.note

    @classmethod
    def from_bytes(cls, data: bytes) -> "LogProof":
        """Return what the file holds, or raise ``MalformedError``."""
        if len(data) > MAX_LOG_PROOF_BYTES:
            raise MalformedError(f"the log proof has more than {MAX_LOG_PROOF_BYTES} bytes")
        head, empty_line, note = data.partition(b"\n\n")
        if not empty_line or not head.isascii():
            raise MalformedError("the log proof has no checkpoint after an empty line")
        header, *lines = head.decode("ascii").split("\n")
        if header != _HEADER:
            raise MalformedError(f'the log proof does not begin with "{_HEADER}"')
        extra = b""
        if lines and lines[0].startswith(_EXTRA):
            text = lines.pop(0)[len(_EXTRA) :]
            extra = from_base64(text, "extra", limit_bytes=_MAX_EXTRA_BYTES)
        found = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if found is None or int(found[1]) > MAX_SIZE:
            raise MalformedError("the log proof has no index")
        if len(lines) > _MAX_PATH:
            raise MalformedError(f"the log proof's path has more than {_MAX_PATH} hashes")
        path = tuple(_hash(line) for line in lines)
        return cls(index=int(found[1]), path=path, note=note, extra=extra)


def check_included(
    proof_hash: bytes, *, index: int, path: tuple[Hash, ...], checkpoint: Checkpoint
) -> None:
    """Raise ``InclusionRejectedError`` unless the log of ``checkpoint`` has the proof there."""
    verify_inclusion(
        leaf_hash(proof_hash),
        index=index,
        size=checkpoint.size,
        path=path,
        root=checkpoint.root,
    )


def _hash(line: str) -> Hash:
    return Hash(exact_base64(line, "a hash of the path", size=HASH_SIZE))
