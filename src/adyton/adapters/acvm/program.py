"""What a compiled Noir program says about itself: its code, and which witnesses are public.

An artifact's ``bytecode`` is base64 over gzip over a format byte (3) and msgpack: a list of two,
the constrained functions and the unconstrained ones. A function is a list: its name, its opcodes,
its private parameters, its public parameters, its returned values (these three as witness indices)
and its assertion messages. The opcodes are for the solver and the prover to read.
"""

import zlib
from dataclasses import dataclass, field
from typing import Final

import msgpack

from adyton.errors import MalformedError

__all__ = ["BytecodeMalformedError", "Program", "decompressed"]

_MAX_BYTES: Final = 64 * 1024 * 1024
_GZIP_WINDOW: Final = 31
_FORMAT_MSGPACK: Final = 3
_MAX_INDEX: Final = 2**32 - 1


class BytecodeMalformedError(MalformedError):
    """The bytes are not a compiled Noir program of the version that we read."""

    code = "bytecode-malformed"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the program {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of one circuit.

    ``bytecode`` is what the solver takes, ``acir`` (the same, not compressed) what ``bb`` takes.
    The public inputs of a proof are the public parameters and then the returned values.
    """

    bytecode: bytes = field(repr=False)
    acir: bytes = field(repr=False)
    private_parameters: tuple[int, ...] = field(repr=False)
    public_parameters: tuple[int, ...]
    returned: tuple[int, ...]

    @classmethod
    def from_bytecode(cls, bytecode: bytes) -> "Program":
        """Read an artifact's bytecode, decoded from base64; raise ``BytecodeMalformedError``."""
        acir = decompressed(bytecode)
        private, public, returned = _parameters(acir)
        return cls(
            bytecode=bytecode,
            acir=acir,
            private_parameters=tuple(sorted(private)),
            public_parameters=tuple(sorted(public)),
            returned=returned,
        )

    @property
    def public_inputs(self) -> tuple[int, ...]:
        """The witness indices of a proof's public inputs, in their order."""
        return self.public_parameters + self.returned


def decompressed(bytecode: bytes) -> bytes:
    """Return a program as ``bb`` takes it; ``BytecodeMalformedError`` for what is not in gzip.

    What is in it is not looked at: that takes a tenth of the time of a proof.
    """
    decoder = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        acir = decoder.decompress(bytecode, _MAX_BYTES)
    except zlib.error as error:
        raise BytecodeMalformedError("is not in gzip") from error
    if not decoder.eof or decoder.unused_data:
        raise BytecodeMalformedError(f"is cut, has a tail or has more than {_MAX_BYTES} bytes")
    return acir


def _parameters(acir: bytes) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    if not acir or acir[0] != _FORMAT_MSGPACK:
        raise BytecodeMalformedError(f"does not begin with the format byte {_FORMAT_MSGPACK}")
    try:
        program = msgpack.unpackb(acir[1:], strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise BytecodeMalformedError("is not in msgpack") from error
    match program:
        case [[[str(), list(), private, public, returned, list()]], list()]:
            return _indices(private), _indices(public), _indices(returned)
        case _:
            raise BytecodeMalformedError("is not a list of one circuit and its helpers")


def _indices(part: object) -> tuple[int, ...]:
    if not isinstance(part, list):
        raise BytecodeMalformedError("has parameters that are not a list")
    for index in part:
        # A bool is an int to Python, and no index to anybody else.
        if type(index) is not int or not 0 <= index <= _MAX_INDEX:
            raise BytecodeMalformedError("has a parameter that is not a witness index")
    return tuple(part)
