"""Aztec's chain of circuits: what is in ``ivc-inputs.msgpack``, and how ``bb`` proves it (Chonk).

The file is a msgpack list of steps in their order, each a map: ``bytecode`` and ``witness`` (in
gzip), ``vk`` (the step's key) and ``functionName``; newer versions add a ``kind``. ``bb`` takes the
steps one by one, and proves all of them at once. What a chain must be made of, applications and
kernels in turn, ``bb`` knows, and the program of the last step has the key of the whole.

A proof is field elements in five parts; joined, they are what Aztec's tools read, behind their
count (four bytes, big-endian).
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import msgpack

from adyton.adapters.barretenberg.commands import ELEMENT_SIZE, Command, read_bytes, read_elements
from adyton.adapters.barretenberg.frame import Fields
from adyton.crypto.hashing import FIELD_MODULUS, sha256
from adyton.errors import MalformedError

__all__ = [
    "Chain",
    "ChainProof",
    "Step",
    "StepsMalformedError",
    "accumulate",
    "chain_key",
    "is_chain_proof",
    "load",
    "prove_chain",
    "start",
    "verify_chain",
]

_MAX_STEPS: Final = 256
_MAX_FIELDS: Final = 16
_MAX_STEP_BYTES: Final = 64 * 1024 * 1024
_MAX_NAME: Final = 256
_COUNT_SIZE: Final = 4
_GZIP_WINDOW: Final = 31
_KEYS: Final = frozenset({"bytecode", "witness", "vk", "functionName"})
_PARTS: Final = ("hiding_oink_proof", "merge_proof", "eccvm_proof", "ipa_proof", "joint_proof")
# Barretenberg refuses a chain of fewer: an application, and its three kernels.
MINIMUM_STEPS: Final = 4
_NO_LIST: Final = f"are not a list of at least {MINIMUM_STEPS}"


class StepsMalformedError(MalformedError):
    """The bytes are not the steps of a transaction."""

    code = "steps-malformed"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the steps {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One circuit of a chain, its witness and its key; ``bytecode`` and ``witness`` are in gzip."""

    name: str
    bytecode: bytes = field(repr=False)
    witness: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def program(self) -> bytes:
        """Return the program as ``bb`` takes it, or raise ``StepsMalformedError``."""
        return _decompressed(self.bytecode, "a bytecode")

    def solved(self) -> bytes:
        """Return the witness as ``bb`` takes it, or raise ``StepsMalformedError``."""
        return _decompressed(self.witness, "a witness")


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps of one transaction, in their order."""

    steps: tuple[Step, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "Chain":
        """Read ``ivc-inputs.msgpack``, or raise ``StepsMalformedError``."""
        try:
            # Each map and list is looked at as soon as it has ended: an empty one is a single byte
            # there, and seventy in memory.
            steps = msgpack.unpackb(
                data,
                max_array_len=_MAX_STEPS,
                max_map_len=_MAX_FIELDS,
                object_hook=_step,
                list_hook=_steps,
                # What msgpack makes of an extension is a tuple, too.
                ext_hook=_extension,
            )
        except (ValueError, msgpack.exceptions.UnpackException) as error:
            raise StepsMalformedError("are not in msgpack, or too many") from error
        if not isinstance(steps, tuple):
            raise StepsMalformedError(_NO_LIST)
        return cls(steps)

    def digest(self) -> bytes:
        """Return what a statement names: SHA-256 of the programs' digests, one after the other."""
        return sha256(b"".join(sha256(step.program()) for step in self.steps))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProof:
    """A proof of a whole chain, as Aztec's tools read it, and the key to check it with."""

    proof: bytes = field(repr=False)
    key: bytes


def start(count: int) -> Command[None]:
    """Begin a chain of ``count`` steps."""
    return _told("ChonkStart", {"num_circuits": count})


def load(step: Step) -> Command[None]:
    """Name the next step's circuit."""
    circuit = {"name": step.name, "bytecode": step.program(), "verification_key": step.key}
    return _told("ChonkLoad", {"circuit": circuit})


def accumulate(step: Step) -> Command[None]:
    """Give the witness of the circuit that was named."""
    return _told("ChonkAccumulate", {"witness": step.solved()})


def prove_chain() -> Command[bytes]:
    """Ask for the proof of all steps."""
    return Command(
        name="ChonkProve",
        fields={},
        response="ChonkProveResponse",
        read=lambda fields: _joined(fields["proof"]),
    )


def chain_key(last: Step) -> Command[bytes]:
    """Ask for the key of a chain, which is that of its last circuit, with zero knowledge."""
    return Command(
        name="ChonkComputeVk",
        fields={
            "circuit": {"name": last.name, "bytecode": last.program()},
            "use_zk_flavor": True,
        },
        response="ChonkComputeVkResponse",
        read=lambda fields: read_bytes(fields["bytes"]),
    )


def is_chain_proof(proof: bytes) -> bool:
    """Whether ``proof`` is a count and as many field elements, each in its only form."""
    elements = proof[_COUNT_SIZE:]
    if len(elements) != ELEMENT_SIZE * int.from_bytes(proof[:_COUNT_SIZE]):
        return False
    return all(
        int.from_bytes(elements[at : at + ELEMENT_SIZE]) < FIELD_MODULUS
        for at in range(0, len(elements), ELEMENT_SIZE)
    )


def verify_chain(proof: bytes, *, key: bytes) -> Command[bool]:
    """Ask whether a proof holds. ``is_chain_proof`` has said yes to it."""
    elements = proof[_COUNT_SIZE:]
    return Command(
        name="ChonkVerifyFromFields",
        fields={
            "proof": [
                elements[at : at + ELEMENT_SIZE] for at in range(0, len(elements), ELEMENT_SIZE)
            ],
            "vk": key,
        },
        response="ChonkVerifyFromFieldsResponse",
        read=lambda fields: fields["valid"] is True,
        on_error=lambda _text: False,
    )


def _told(name: str, fields: Fields) -> Command[None]:
    return Command(name=name, fields=fields, response=f"{name}Response", read=lambda _fields: None)


def _joined(proof: Fields) -> bytes:
    elements = [element for part in _PARTS for element in read_elements(proof[part])]
    return len(elements).to_bytes(_COUNT_SIZE) + b"".join(elements)


def _steps(items: list[Any]) -> tuple[Step, ...]:
    if len(items) < MINIMUM_STEPS or not all(isinstance(item, Step) for item in items):
        raise StepsMalformedError(_NO_LIST)
    return tuple(items)


def _extension(_code: int, _data: bytes) -> NoReturn:
    raise StepsMalformedError(_NO_LIST)


def _step(value: dict[Any, Any]) -> Step:
    if not _KEYS <= value.keys() <= _KEYS | {"kind"}:
        raise StepsMalformedError(f"have one without {', '.join(sorted(_KEYS))}, or with more")
    name = value["functionName"]
    if not isinstance(name, str) or len(name) > _MAX_NAME:
        raise StepsMalformedError("have one without a name")
    parts = {key: value[key] for key in ("bytecode", "witness", "vk")}
    if not all(isinstance(part, bytes) for part in parts.values()):
        raise StepsMalformedError("have a bytecode, a witness or a key that is not bytes")
    return Step(name=name, bytecode=parts["bytecode"], witness=parts["witness"], key=parts["vk"])


def _decompressed(data: bytes, what: str) -> bytes:
    decoder = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        plain = decoder.decompress(data, _MAX_STEP_BYTES)
    except zlib.error as error:
        raise StepsMalformedError(f"have {what} that is not in gzip") from error
    if not decoder.eof or decoder.unused_data:
        raise StepsMalformedError(f"have {what} that is cut, or too long")
    return plain
