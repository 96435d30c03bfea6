"""What is to be proven, from files: a Noir artifact with inputs or a witness, or Aztec's steps."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adyton.adapters.acvm import decompressed
from adyton.adapters.barretenberg import Chain
from adyton.codec.json import Json, JsonObject, as_object, as_string, loads
from adyton.codec.text import from_base64
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError
from adyton.model.proving import MAX_SEALED_BYTES
from adyton.model.proving_job import (
    ChonkJob,
    Inputs,
    NoirCircuit,
    ProvingJob,
    RegisteredCircuit,
    UltraHonkJob,
)
from adyton.sdk.files import Source, unreadable

__all__ = ["Artifact", "chonk_job", "circuit_digest", "noir_job", "read_artifact", "read_bytes"]

# Artifacts of large programs carry their source maps.
_MAX_ARTIFACT_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What is read of an artifact: the program's bytecode (in gzip), and what ``main`` takes."""

    bytecode: bytes = field(repr=False)
    unread_abi: Json

    def digest(self) -> bytes:
        """Return the digest by which workers and statements name the program."""
        return sha256(decompressed(self.bytecode))

    def abi(self) -> JsonObject:
        """Return what is sent of the ABI: not what only debuggers read."""
        abi = as_object(self.unread_abi, "the artifact's abi")
        return {name: abi[name] for name in ("parameters", "return_type") if name in abi}


def read_artifact(artifact: Source) -> Artifact:
    """Return the program in ``artifact``, the JSON that ``nargo compile`` writes.

    Raises ``MalformedError`` or ``FileUnreadableError``.
    """
    record = as_object(_json(artifact, "the artifact"), "the artifact")
    where = "the artifact's bytecode"
    text = as_string(record.get("bytecode"), where, limit=2 * MAX_SEALED_BYTES)
    return Artifact(
        bytecode=from_base64(text, where, limit_bytes=MAX_SEALED_BYTES),
        unread_abi=record.get("abi"),
    )


def noir_job(
    artifact: Source | None,
    *,
    inputs: Source | None = None,
    witness: bytes | str | os.PathLike[str] | None = None,
    key: bytes | None = None,
    circuit: RegisteredCircuit | None = None,
) -> UltraHonkJob:
    """Return the job to prove the program in ``artifact``, the JSON that ``nargo compile`` writes.

    Either ``inputs``, what ``main`` takes by name, or a ``witness`` that is solved already. ``key``
    is the program's verification key for the target, where you have it: that saves the time to
    compute it.

    ``circuit`` is the program where it was registered (``Client.register_circuit``): it is named
    then and not sent, and the worker has the key. With a witness, ``artifact`` may be ``None``.

    Raises ``MalformedError``, also where ``circuit`` is another program than the artifact's, or
    ``FileUnreadableError``.
    """
    if (inputs is None) == (witness is None):
        raise ValueError("a program is proven with inputs or with a witness")
    if key is not None and circuit is not None:
        raise ValueError("the key of a registered circuit is the worker's")
    found = None if artifact is None else read_artifact(artifact)
    sent = _circuit(found, key, circuit)
    if witness is not None:
        return UltraHonkJob(circuit=sent, solution=read_bytes(witness))
    if inputs is None or found is None:
        raise ValueError("without an artifact, nobody knows what the inputs are: give a witness")
    values = as_object(_json(inputs, "the inputs"), "the inputs")
    return UltraHonkJob(circuit=sent, solution=Inputs(values=values, abi=found.abi()))


def _circuit(
    found: Artifact | None, key: bytes | None, registered: RegisteredCircuit | None
) -> NoirCircuit | RegisteredCircuit:
    if registered is None:
        if found is None:
            raise ValueError("a program is an artifact, or a circuit that was registered")
        return NoirCircuit(bytecode=found.bytecode, key=key)
    if found is not None and found.digest() != registered.digest:
        raise MalformedError(f"the artifact is another program than {registered.digest.hex()}")
    return registered


def chonk_job(steps: bytes | str | os.PathLike[str]) -> ChonkJob:
    """Return the job to prove ``steps``: Aztec's ``ivc-inputs.msgpack``."""
    return ChonkJob(steps=read_bytes(steps))


def circuit_digest(job: ProvingJob) -> bytes:
    """Return the digest of what is proven, as a statement names it."""
    if isinstance(job, ChonkJob):
        return Chain.from_bytes(job.steps).digest()
    match job.circuit:
        case NoirCircuit(bytecode=bytecode):
            return sha256(decompressed(bytecode))
        case RegisteredCircuit(digest=digest):
            return digest


def read_bytes(source: bytes | str | os.PathLike[str]) -> bytes:
    """Return ``source``, or what is in the file that it names; raise ``FileUnreadableError``."""
    if isinstance(source, bytes):
        return source
    path = Path(source)
    with unreadable(path), path.open("rb") as file:
        data = file.read(_MAX_ARTIFACT_BYTES + 1)
    if len(data) > _MAX_ARTIFACT_BYTES:
        raise MalformedError(f"{path} has more than {_MAX_ARTIFACT_BYTES} bytes")
    return data


def _json(source: Source, where: str) -> Json:
    if isinstance(source, Mapping):
        return dict(source)
    try:
        return loads(read_bytes(source), limit_bytes=_MAX_ARTIFACT_BYTES)
    except MalformedError as error:
        # Several files are given: which of them it is, is half of the message.
        raise MalformedError(f"{where}: {error}") from error
