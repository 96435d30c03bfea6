"""What we ask Barretenberg, and how we read its answers. Pure: bytes and values, no process.

A circuit is given as ``acir``: its program, not compressed. What we hand over was checked here
first, because ``bb`` ends its process over some malformed fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from adyton.adapters.barretenberg.errors import (
    ProverFailedError,
    ProverMemoryExceededError,
    ProverRefusedError,
)
from adyton.adapters.barretenberg.frame import Fields
from adyton.adapters.barretenberg.key import VerificationKey
from adyton.adapters.barretenberg.settings import ProofSettings
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.proofs.circuit import KeyMalformedError

__all__ = [
    "ELEMENT_SIZE",
    "CircuitStats",
    "Command",
    "KeyedProof",
    "Proof",
    "compute_key",
    "is_verifiable",
    "poseidon2",
    "prove",
    "prove_keyed",
    "read_bytes",
    "read_elements",
    "stats",
    "verify",
]

ELEMENT_SIZE: Final = 32
_MAX_ELEMENTS: Final = 4096
_CIRCUIT_NAME: Final = "circuit"

# How bb 5.0.0 says that a key, a proof or its public inputs cannot be good. It answers ``false`` to
# most bad proofs; to these it answers with an error.
_BAD_PROOF: Final = (
    "not on the curve",
    "Non-canonical",
    "Cannot aggregate",
    "Assertion failed",
)

_NO_MEMORY: Final = "std::bad_alloc"
# What Barretenberg adds to the public inputs of a proof that carries an IPA claim on.
_IPA_INPUTS: Final = 6

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof (field elements, 32 bytes each, big-endian) and its public inputs."""

    proof: bytes = field(repr=False)
    public_inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedProof:
    """A proof, and the verification key that it was made for."""

    proof: Proof
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitStats:
    """How large a circuit is; ``padded_gates`` is the power of two that is proven."""

    gates: int
    padded_gates: int
    opcodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[Answer]):
    """A request, and how its answer is read.

    ``on_error`` sees the text of an error and may know the answer from it; it returns ``None``
    where it does not.
    """

    name: str
    fields: Fields = field(repr=False)
    response: str
    read: Callable[[Fields], Answer]
    on_error: Callable[[str], Answer | None] = field(default=lambda _text: None)

    def answer(self, name: str, fields: Fields) -> Answer:
        """Return what a response says.

        Raises ``ProverRefusedError`` where it is an error, and ``ProverFailedError`` where it is
        no response to this command.
        """
        if name == "ErrorResponse":
            text = fields.get("message")
            if isinstance(text, str) and (answer := self.on_error(text)) is not None:
                return answer
            if text == _NO_MEMORY:
                raise ProverMemoryExceededError
            raise ProverRefusedError(command=self.name)
        if name != self.response:
            raise ProverFailedError(f"answered {self.name} with another response")
        try:
            return self.read(fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ProverFailedError(f"answered {self.name} with other fields") from error


def compute_key(acir: bytes, settings: ProofSettings) -> Command[bytes]:
    """Ask for the verification key of a circuit."""
    return Command(
        name="CircuitComputeVk",
        fields={
            "circuit": {"name": _CIRCUIT_NAME, "bytecode": acir},
            "settings": settings.fields(),
        },
        response="CircuitComputeVkResponse",
        read=lambda fields: read_bytes(fields["bytes"]),
    )


def prove(acir: bytes, *, key: bytes, witness: bytes, settings: ProofSettings) -> Command[Proof]:
    """Ask for a proof. With the circuit's own ``key`` given, ``bb`` need not compute it again."""
    return _proving(acir, key=key, witness=witness, settings=settings, read=_proof)


def prove_keyed(
    acir: bytes, *, key: bytes | None, witness: bytes, settings: ProofSettings
) -> Command[KeyedProof]:
    """Ask for a proof and its key: ``key`` if that is given, else one that ``bb`` computes."""
    return _proving(
        acir,
        key=key or b"",
        witness=witness,
        settings=settings,
        read=lambda fields: KeyedProof(
            proof=_proof(fields), key=key or read_bytes(fields["vk"]["bytes"])
        ),
    )


def verify(
    key: bytes, *, public_inputs: Sequence[int], proof: bytes, settings: ProofSettings
) -> Command[bool]:
    """Ask whether a proof holds. ``is_verifiable`` has said yes to the same arguments."""
    return Command(
        name="CircuitVerify",
        fields={
            "verification_key": key,
            "public_inputs": [value.to_bytes(ELEMENT_SIZE) for value in public_inputs],
            "proof": _split(proof),
            "settings": settings.fields(),
        },
        response="CircuitVerifyResponse",
        read=lambda fields: _boolean(fields["verified"]),
        on_error=lambda text: False if any(words in text for words in _BAD_PROOF) else None,
    )


def stats(acir: bytes, settings: ProofSettings) -> Command[CircuitStats]:
    """Ask how large a circuit is."""
    return Command(
        name="CircuitStats",
        fields={
            "circuit": {"name": _CIRCUIT_NAME, "bytecode": acir, "verification_key": b""},
            "include_gates_per_opcode": False,
            "settings": settings.fields(),
        },
        response="CircuitInfoResponse",
        read=lambda fields: CircuitStats(
            gates=_count(fields["num_gates"]),
            padded_gates=_count(fields["num_gates_dyadic"]),
            opcodes=_count(fields["num_acir_opcodes"]),
        ),
    )


def poseidon2(inputs: Sequence[int]) -> Command[int]:
    """Ask for the Poseidon2 sponge hash of some field elements; ``ValueError`` for others."""
    if not inputs or not all(0 <= value < FIELD_MODULUS for value in inputs):
        raise ValueError("poseidon2 takes field elements, at least one")
    return Command(
        name="Poseidon2Hash",
        fields={"inputs": [value.to_bytes(ELEMENT_SIZE) for value in inputs]},
        response="Poseidon2HashResponse",
        read=lambda fields: int.from_bytes(_element(fields["hash"])),
    )


def is_verifiable(
    key: bytes, *, public_inputs: Sequence[int], proof: bytes, settings: ProofSettings
) -> bool:
    """Whether there is anything for ``bb`` to verify.

    1. the key is one, in its only form, of the kind that the settings ask for;
    2. there are as many public inputs as it says, each a field element;
    3. the proof is a bounded number of field elements, each below the modulus.

    Where this says no, so does the verification. ``bb`` alone would take a key with some of its
    bits flipped for the key itself.
    """
    # Step 1
    try:
        parsed = VerificationKey.from_bytes(key)
    except KeyMalformedError:
        return False
    if parsed.oracle_hash is not settings.oracle_hash:
        return False
    # Step 2
    added = _IPA_INPUTS if settings.ipa_accumulation else 0
    if len(public_inputs) + added != parsed.public_inputs:
        return False
    if not all(0 <= value < FIELD_MODULUS for value in public_inputs):
        return False
    # Step 3
    if len(proof) % ELEMENT_SIZE or len(proof) > _MAX_ELEMENTS * ELEMENT_SIZE:
        return False
    return all(int.from_bytes(element) < FIELD_MODULUS for element in _split(proof))


def _proving(
    acir: bytes,
    *,
    key: bytes,
    witness: bytes,
    settings: ProofSettings,
    read: Callable[[Fields], Answer],
) -> Command[Answer]:
    return Command(
        name="CircuitProve",
        fields={
            "circuit": {"name": _CIRCUIT_NAME, "bytecode": acir, "verification_key": key},
            "witness": witness,
            "settings": settings.fields(),
        },
        response="CircuitProveResponse",
        read=read,
    )


def _proof(fields: Fields) -> Proof:
    return Proof(
        proof=b"".join(read_elements(fields["proof"])),
        public_inputs=tuple(map(int.from_bytes, read_elements(fields["public_inputs"]))),
    )


def _split(proof: bytes) -> list[bytes]:
    return [proof[at : at + ELEMENT_SIZE] for at in range(0, len(proof), ELEMENT_SIZE)]


def read_bytes(value: object) -> bytes:
    """Return bytes of an answer; ``TypeError`` for anything else."""
    if not isinstance(value, bytes):
        raise TypeError("not bytes")
    return value


def _element(value: object) -> bytes:
    element = read_bytes(value)
    if len(element) != ELEMENT_SIZE or int.from_bytes(element) >= FIELD_MODULUS:
        raise ValueError("not a field element")
    return element


def read_elements(value: object) -> list[bytes]:
    """Return field elements of an answer; ``TypeError`` or ``ValueError`` for anything else."""
    if not isinstance(value, list) or len(value) > _MAX_ELEMENTS:
        raise TypeError("not a list of field elements")
    return [_element(item) for item in value]


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a boolean")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError("not a count")
    return value
