"""A forged receipt, for the demonstration: everything that a host can change without a key."""

import hashlib
from typing import cast

from adyton.codec.json import JsonObject

__all__ = ["forged"]


def forged(record: JsonObject) -> JsonObject:
    """Return the receipt ``record`` of a FALSE answer, made to say TRUE wherever it says so.

    The statement, RFC-0023's summary, the proof's last public input, and the digest of these in the
    statement: it reads well, and neither the signature nor the proof is over it.
    """
    # The shape is that of a receipt of ours: read, checked, and written by ``to_json``.
    inner = cast("JsonObject", record["receipt"])
    inputs = [*cast("list[str]", inner["public_inputs"])[:-1], f"0x{1:064x}"]
    digest = hashlib.sha256(b"".join(bytes.fromhex(item[2:]) for item in inputs)).hexdigest()
    statement = cast("JsonObject", inner["statement"])
    return {
        **record,
        "public_inputs": {
            **cast("JsonObject", record["public_inputs"]),
            "predicate_satisfied": True,
        },
        "receipt": {
            **inner,
            "statement": {**statement, "answer": True, "public_inputs": digest},
            "public_inputs": [*inputs],
        },
    }
