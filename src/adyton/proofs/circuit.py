"""A circuit: its compiled files, and what parameters and private data it takes.

A circuit's module says how a predicate becomes parameters (public, and recomputed by every
verifier), how extracted columns become private inputs, and what the answer is, in plain code that
must agree with the circuit. Solving, proving and reading files are the adapters'.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from adyton.codec.json import JsonObject, as_base64, as_object, loads
from adyton.crypto.hashing import FIELD_MODULUS, sha256
from adyton.errors import MalformedError, RejectedError
from adyton.model.value import Extracted, FieldType
from adyton.proofs.abi import Abi, AbiMalformedError, AbiValue
from adyton.proofs.binding import Binding

__all__ = [
    "SALT_BYTES",
    "Asked",
    "Circuit",
    "Facts",
    "KeyMalformedError",
    "Outcome",
    "Parameters",
    "ParametersRejectedError",
    "PrivateInputs",
    "PublicInputs",
    "PublicInputsMalformedError",
    "PublicInputsRejectedError",
    "salt_from_bytes",
]

# 512 random bits, reduced, are as good as uniform for a modulus of 254.
SALT_BYTES: Final = 64

_MAX_ARTIFACT_BYTES: Final = 16 * 1024 * 1024
_FIELD_BYTES: Final = 32
# Three numbers and 28 points: log of the size, count of public inputs, where they begin.
_KEY_BYTES: Final = 3 * _FIELD_BYTES + 28 * 2 * _FIELD_BYTES
# Barretenberg counts the eight limbs of its (here empty) pairing points among the public inputs.
_PAIRING_INPUTS: Final = 8
_RETURNED_INPUTS: Final = 2


class KeyMalformedError(MalformedError):
    """A verification key is not one of this circuit's shape."""

    code = "verification-key-malformed"


class ParametersRejectedError(RejectedError):
    """A statement's parameters do not follow from its question."""

    code = "parameters-rejected"

    def __init__(self, *, circuit: str) -> None:
        super().__init__(f"the parameters of {circuit} do not follow from the question")
        self.circuit = circuit


class PublicInputsMalformedError(MalformedError):
    """Public inputs are not as many, or not what, the circuit has."""

    code = "public-inputs-malformed"


class PublicInputsRejectedError(RejectedError):
    """A proof's public inputs are not those of the statement."""

    code = "public-inputs-rejected"

    def __init__(self, *, label: str) -> None:
        super().__init__(f"the public input {label} is not the statement's")
        self.label = label


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What parameters depend on beside the predicate. All of it is public, in the statement.

    ``scale`` and ``time`` (Unix seconds) are the statement's own; ``months`` (how many months the
    data cover) and ``type`` (of the one value) are parameters of the circuits that have them, so
    that a relying party sees what was looked at.
    """

    scale: int
    time: int
    months: int | None = None
    type: FieldType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What matters of a question to its circuit, beside the predicate's meaning.

    ``months`` is how many the question looks at, if it says so. ``salt`` is the asker's sealed
    credential of that name, which only ``account_ownership`` takes, and no verifier has.
    """

    predicate: JsonObject
    time: int
    months: int | None = None
    salt: str | None = field(default=None, repr=False)


class PrivateInputs(ABC):
    """Private data in a circuit's places, beside the parameters. Never shown, never stored."""

    __slots__ = ()

    @abstractmethod
    def evaluate(self, binding: Binding, /) -> bool:
        """Return the answer, by plain code; the circuit's must be the same."""

    @abstractmethod
    def values(self) -> Mapping[str, AbiValue]:
        """Return every private parameter of the circuit but the salt."""


class Parameters(ABC):
    """A circuit's own public parameters."""

    __slots__ = ()

    circuit: ClassVar[str]

    @classmethod
    @abstractmethod
    def from_predicate(cls, predicate: JsonObject, facts: Facts, /) -> Self:
        """Return the parameters of a question.

        Raises ``PredicateMalformedError``, ``PredicateUnknownError``, ``ThresholdOutOfRangeError``
        or ``ThresholdTooFineError``.
        """

    @classmethod
    @abstractmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""

    @abstractmethod
    def to_json(self) -> JsonObject:
        """Return what a statement holds: names instead of hashes, amounts as decimal strings."""

    @classmethod
    def facts(cls, _extracted: Extracted, asked: Asked, /) -> Facts:
        """Return the facts of extracted data.

        Raises leaves of ``RejectedError`` where the data cannot be asked this.
        """
        return Facts(scale=0, time=asked.time)

    def stated_facts(self, asked: Asked, *, scale: int) -> Facts:
        """Return the facts that a statement with these parameters stands on.

        Raises ``ParametersRejectedError`` where the question does not allow them.
        """
        return Facts(scale=scale, time=asked.time)

    @abstractmethod
    def values(self) -> Mapping[str, AbiValue]:
        """Return every public parameter of the circuit but the binding."""

    @abstractmethod
    def private_inputs(self, extracted: Extracted, asked: Asked, /) -> PrivateInputs:
        """Return the data in the circuit's places.

        Raises leaves of ``RejectedError``: a column or a value is missing, a number is out of
        range, there are more values than places.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicInputs:
    """A proof's public inputs, read but not yet compared with anything."""

    binding: Binding
    parameters: tuple[int, ...]
    commitment: int
    result: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a proof says beyond what was asked: the commitment, and the answer."""

    commitment: int
    result: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A circuit's files, read. ``bytecode`` is gzip, as the solver takes it."""

    name: str
    abi: Abi
    bytecode: bytes = field(repr=False)
    verification_key: bytes = field(repr=False)
    parameters: type[Parameters]

    @classmethod
    def from_files(
        cls, parameters: type[Parameters], *, artifact: bytes, verification_key: bytes
    ) -> "Circuit":
        """Return the circuit of these files, or raise a leaf of ``MalformedError``.

        The key's count of public inputs must be the ABI's. That the key is this bytecode's is not
        established here: both are committed together, and a test computes one from the other.
        """
        record = as_object(loads(artifact, limit_bytes=_MAX_ARTIFACT_BYTES), "artifact")
        circuit = cls(
            name=parameters.circuit,
            abi=Abi.from_json(record.get("abi")),
            bytecode=as_base64(record.get("bytecode"), "bytecode", limit_bytes=_MAX_ARTIFACT_BYTES),
            verification_key=verification_key,
            parameters=parameters,
        )
        circuit._check_shape()
        return circuit

    @property
    def key_digest(self) -> bytes:
        """SHA-256 of the verification key: how manifests, statements and policies name it."""
        return sha256(self.verification_key)

    @property
    def public_input_count(self) -> int:
        """How many public inputs a proof has, the two returned ones included."""
        return len(self.abi.public_labels()) + _RETURNED_INPUTS

    def check_parameters(self, asked: Asked, stated: JsonObject, *, scale: int) -> Parameters:
        """Return a statement's parameters if they are what its question comes to.

        ``scale`` is the statement's. Raises ``ParametersRejectedError``, or ``MalformedError``
        where predicate or parameters cannot be read.
        """
        parameters = self.parameters.from_json(stated)
        facts = parameters.stated_facts(asked, scale=scale)
        if self.parameters.from_predicate(asked.predicate, facts) != parameters:
            raise ParametersRejectedError(circuit=self.name)
        return parameters

    def witness_inputs(
        self, binding: Binding, parameters: Parameters, private: PrivateInputs, *, salt: int
    ) -> dict[int, int]:
        """Return what the solver starts from, by witness index. Private: it holds all data."""
        return self.abi.flatten(
            {
                "binding": binding.values(),
                "salt": salt,
                **parameters.values(),
                **private.values(),
            }
        )

    def public_inputs(self, binding: Binding, parameters: Parameters) -> tuple[int, ...]:
        """Return a proof's public inputs as far as they are known before it is made."""
        return self.abi.flatten_public({"binding": binding.values(), **parameters.values()})

    def read_public_inputs(self, public_inputs: Sequence[int]) -> PublicInputs:
        """Return public inputs by their meaning, or raise ``PublicInputsMalformedError``."""
        if len(public_inputs) != self.public_input_count:
            raise PublicInputsMalformedError(
                f"{self.name} has {self.public_input_count} public inputs, not {len(public_inputs)}"
            )
        if not all(0 <= element < FIELD_MODULUS for element in public_inputs):
            # Added multiples of the modulus would be other bytes for the same proof.
            raise PublicInputsMalformedError("a public input is not a field element")
        nonce, data_source, provider, time, *parameters = public_inputs[:-_RETURNED_INPUTS]
        commitment, result = public_inputs[-_RETURNED_INPUTS:]
        if result not in (0, 1) or time >= 2**64:
            raise PublicInputsMalformedError("the time or the result is not of its type")
        binding = Binding(nonce=nonce, data_source=data_source, provider=provider, time=time)
        return PublicInputs(
            binding=binding,
            parameters=tuple(parameters),
            commitment=commitment,
            result=result == 1,
        )

    def check_public_inputs(
        self, public_inputs: Sequence[int], *, binding: Binding, parameters: Parameters
    ) -> Outcome:
        """Return what public inputs say beyond ``binding`` and ``parameters``, which they repeat.

        Raises ``PublicInputsRejectedError``, naming the first that differs. Whether a proof goes
        with them is another check.
        """
        found = self.read_public_inputs(public_inputs)
        expected = self.public_inputs(binding, parameters)
        for label, here, wanted in zip(
            self.abi.public_labels(), public_inputs, expected, strict=False
        ):
            if here != wanted:
                raise PublicInputsRejectedError(label=label)
        return Outcome(commitment=found.commitment, result=found.result)

    def _check_shape(self) -> None:
        names = [parameter.name for parameter in self.abi.parameters]
        if names[:1] != ["binding"] or "salt" not in names:
            raise AbiMalformedError(f"{self.name} has no binding or no salt")
        if len(self.verification_key) != _KEY_BYTES:
            raise KeyMalformedError(f"the key of {self.name} has not {_KEY_BYTES} bytes")
        count = int.from_bytes(self.verification_key[_FIELD_BYTES : 2 * _FIELD_BYTES])
        if count != self.public_input_count + _PAIRING_INPUTS:
            raise KeyMalformedError(f"the key of {self.name} has another count of public inputs")


def salt_from_bytes(random: bytes) -> int:
    """Return a uniform salt for a commitment, from ``SALT_BYTES`` unpredictable bytes."""
    if len(random) != SALT_BYTES:
        raise ValueError(f"a salt is made from {SALT_BYTES} bytes")
    return int.from_bytes(random) % FIELD_MODULUS
