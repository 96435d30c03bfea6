"""Lists of proofs as answers: a short one whole, a long one sent while it is put together.

Each proof carries its epoch's evidence, some kilobytes, and a list may have thousands of them: what
is in memory of a long one is a part of it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final

from starlette.responses import Response, StreamingResponse

from adyton.gateway.exchange import json_text_response

__all__ = ["proof_list"]

_MOST_WHOLE: Final = 16
_PART_BYTES: Final = 256 * 1024


def proof_list(proofs: Iterable[bytes], *, count: int) -> Response:
    """Return ``count`` proofs, which do not fail, as a JSON list; each is made as it is sent."""
    if count <= _MOST_WHOLE:
        # As they are: printed again, they might no longer be what was hashed.
        return json_text_response(b"".join((b"[", b",".join(proofs), b"]")))
    # It has no length, and an end: who is cut off knows that he is.
    return StreamingResponse(
        _parts(proofs), media_type="application/json", headers={"cache-control": "no-store"}
    )


async def _parts(proofs: Iterable[bytes]) -> AsyncIterator[bytes]:
    pieces, size, before = list[bytes](), 0, b"["
    for proof in proofs:
        pieces += (before, proof)
        before, size = b",", size + len(proof)
        if size >= _PART_BYTES:
            yield b"".join(pieces)
            pieces, size = [], 0
            # Others have their turn, also where the peer takes all at once.
            await asyncio.sleep(0)
    yield b"".join((*pieces, b"]"))
