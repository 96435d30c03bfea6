"""Leaving a circuit with a worker, as a conversation: later requests name it by its digest.

Nothing of a circuit is secret here, and nothing is sealed: the gateway's host sees it. What is
proven with it stays sealed.
"""

from typing import Final

from adyton.codec.json import as_object, canonical
from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.model.proving import Target
from adyton.model.proving_job import RegisteredCircuit
from adyton.sdk.files import Source
from adyton.sdk.programs import read_artifact
from adyton.sdk.transport import Call, Conversation, read_json

__all__ = ["register_circuit"]

# Longer than a worker takes to compute the key of the largest.
_SECONDS: Final = 1000.0


def register_circuit(artifact: Source, *, target: Target) -> Conversation[RegisteredCircuit]:
    """Return the circuit of the program in ``artifact``, once a worker has it for ``target``.

    Its digest was computed here. Nobody vouches that the worker has it, or for how long: a request
    that names one which it does not have is refused (``circuit-not-registered``). Raises
    ``MalformedError`` where what was registered has another digest.
    """
    found = read_artifact(artifact)
    ours = RegisteredCircuit(digest=found.digest())
    answer = yield Call(
        method="POST",
        path="/v1/prove/circuits",
        body=canonical({"bytecode": to_base64(found.bytecode), "target": target.value}),
        seconds=_SECONDS,
    )
    if as_object(read_json(answer), "the circuit").get("circuit") != ours.digest.hex():
        raise MalformedError("the gateway has registered another circuit than the one it was sent")
    return ours
