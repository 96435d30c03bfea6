"""What is to be proven, from files: a Noir artifact with inputs or a witness, or Aztec's steps."""

import os
from collections.abc import Mapping
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

__all__ = ["chonk_job", "circuit_digest", "noir_job", "read_bytes"]

# Artifacts of large programs carry their source maps.
_MAX_ARTIFACT_BYTES: Final = 256 * 1024 * 1024


def noir_job(
    artifact: Source,
    *,
    inputs: Source | None = None,
    witness: bytes | str | os.PathLike[str] | None = None,
    key: bytes | None = None,
) -> UltraHonkJob:
    """Return the job to prove the program in ``artifact``, the JSON that ``nargo compile`` writes.

    Either ``inputs``, what ``main`` takes by name, or a ``witness`` that is solved already. ``key``
    is the program's verification key for the target, where you have it: that saves the time to
    compute it. Raises ``MalformedError`` or ``FileUnreadableError``.
    """
    if (inputs is None) == (witness is None):
        raise ValueError("a program is proven with inputs or with a witness")
    record = as_object(_json(artifact, "the artifact"), "the artifact")
    text = as_string(record.get("bytecode"), "bytecode", limit=2 * MAX_SEALED_BYTES)
    circuit = NoirCircuit(
        bytecode=from_base64(text, "bytecode", limit_bytes=MAX_SEALED_BYTES), key=key
    )
    if witness is not None:
        return UltraHonkJob(circuit=circuit, solution=read_bytes(witness))
    if inputs is None:
        raise TypeError("unreachable: one of the two was given")
    values = as_object(_json(inputs, "the inputs"), "the inputs")
    abi = as_object(record.get("abi"), "abi")
    # What only debuggers read is not sent.
    used: JsonObject = {name: abi[name] for name in ("parameters", "return_type") if name in abi}
    return UltraHonkJob(circuit=circuit, solution=Inputs(values=values, abi=used))


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
