"""What is inside of a sealed proving request: the circuit, and the witness or the inputs.

One CBOR map, so that megabytes cross as they are. Unknown fields are refused. What the bytes of a
circuit or of a witness hold is for the solver and the prover to read.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from adyton.codec import cbor
from adyton.codec.cbor import CborMap, as_bytes, as_map
from adyton.codec.json import JsonObject, as_object, canonical, loads
from adyton.errors import MalformedError
from adyton.model.proving import MAX_SEALED_BYTES, Scheme

__all__ = [
    "ChonkJob",
    "Inputs",
    "NoirCircuit",
    "ProvingJob",
    "RegisteredCircuit",
    "UltraHonkJob",
    "job_from_bytes",
    "job_to_bytes",
]

_MAX_JSON_BYTES: Final = 8 * 1024 * 1024
# A value of two bytes may take a hundred in memory. Held against all that could begin one.
_MAX_INPUTS: Final = 1 << 19
_MAX_TYPES: Final = 1 << 16
# A handful of fields: nothing in the sealed part is nested.
_MAX_VALUES: Final = 32
_MAX_KEY_BYTES: Final = 64 * 1024
_SHA256: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NoirCircuit:
    """A circuit that comes with the request: a Noir artifact's bytecode, in gzip.

    ``key`` is its verification key, where the sender has it, else ``None``: it takes time to
    compute. One that is not the circuit's own is found out when the proof is checked.
    """

    bytecode: bytes = field(repr=False)
    key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCircuit:
    """A circuit that the worker was given before: SHA-256 of its program, not compressed."""

    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What ``main`` takes, by name, and the artifact's ABI, which says where each stands."""

    values: JsonObject = field(repr=False)
    abi: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UltraHonkJob:
    """One circuit, with its solved witness (in gzip, as Noir's tools write it) or its inputs."""

    circuit: NoirCircuit | RegisteredCircuit
    solution: bytes | Inputs = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChonkJob:
    """Aztec's ``ivc-inputs.msgpack``, as it is: every step of a transaction."""

    steps: bytes = field(repr=False)


ProvingJob: TypeAlias = UltraHonkJob | ChonkJob


def job_to_bytes(job: ProvingJob) -> bytes:
    """Return what is sealed for ``job``."""
    match job:
        case ChonkJob(steps=steps):
            return cbor.dumps({"steps": steps})
        case UltraHonkJob(circuit=circuit, solution=solution):
            return cbor.dumps({**_circuit_fields(circuit), **_solution_fields(solution)})


def job_from_bytes(data: bytes, scheme: Scheme) -> ProvingJob:
    """Return the job of a request for ``scheme``, or raise ``MalformedError``."""
    value = cbor.loads(data, limit_bytes=MAX_SEALED_BYTES, limit_values=_MAX_VALUES)
    record = as_map(value, "the sealed part")
    match scheme:
        case Scheme.CHONK:
            _check_fields(record, {"steps"})
            return ChonkJob(steps=_bytes(record, "steps"))
        case Scheme.ULTRA_HONK:
            return UltraHonkJob(circuit=_circuit(record), solution=_solution(record))


def _circuit_fields(circuit: NoirCircuit | RegisteredCircuit) -> CborMap:
    match circuit:
        case RegisteredCircuit(digest=digest):
            return {"circuit_digest": digest}
        case NoirCircuit(bytecode=bytecode, key=None):
            return {"bytecode": bytecode}
        case NoirCircuit(bytecode=bytecode, key=key):
            return {"bytecode": bytecode, "key": key}


def _solution_fields(solution: bytes | Inputs) -> CborMap:
    if isinstance(solution, bytes):
        return {"witness": solution}
    return {"inputs": canonical(solution.values), "abi": canonical(solution.abi)}


def _circuit(record: CborMap) -> NoirCircuit | RegisteredCircuit:
    solution = {"inputs", "abi"} if "inputs" in record else {"witness"}
    if "circuit_digest" in record:
        _check_fields(record, {"circuit_digest", *solution})
        digest = as_bytes(record["circuit_digest"], "circuit_digest", low=_SHA256, high=_SHA256)
        return RegisteredCircuit(digest=digest)
    _check_fields(record, {"bytecode", *solution}, optional={"key"})
    key = _bytes(record, "key", limit_bytes=_MAX_KEY_BYTES) if "key" in record else None
    return NoirCircuit(bytecode=_bytes(record, "bytecode"), key=key)


def _solution(record: CborMap) -> bytes | Inputs:
    if "witness" in record:
        return _bytes(record, "witness")
    return Inputs(
        values=_json(record, "inputs", limit_values=_MAX_INPUTS),
        abi=_json(record, "abi", limit_values=_MAX_TYPES),
    )


def _check_fields(
    record: CborMap, required: set[str], *, optional: set[str] | frozenset[str] = frozenset()
) -> None:
    if missing := required - record.keys():
        raise MalformedError(f"the sealed part lacks {', '.join(sorted(missing))}")
    if record.keys() - required - optional:
        raise MalformedError("the sealed part has fields that nobody reads")


def _bytes(record: CborMap, name: str, *, limit_bytes: int = MAX_SEALED_BYTES) -> bytes:
    return as_bytes(record[name], name, low=1, high=limit_bytes)


def _json(record: CborMap, name: str, *, limit_values: int) -> JsonObject:
    data = _bytes(record, name)
    try:
        value = loads(data, limit_bytes=_MAX_JSON_BYTES, limit_values=limit_values)
    except MalformedError as error:
        # Which of the two; the reason never quotes what it read.
        raise MalformedError(f"{name}: {error}") from error
    return as_object(value, name)
