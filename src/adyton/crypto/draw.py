"""A draw that anybody can repeat: a function of a public seed and of a public list of candidates.

Each candidate has as many tickets as its weight. A ticket is a digest over the seed, the
candidate's name and the ticket's number, and the lowest ticket wins::

    ticket = SHA-256("adyton/draw/v1" ‖ 0x0A ‖ u64le(len(seed)) ‖ seed ‖ u64le(len(name)) ‖ name
                     ‖ u64le(4) ‖ u32le(number))        number = 0 .. weight - 1, name in UTF-8

A candidate's tickets depend on nobody else: adding or leaving out a candidate can make that one
win or lose, and never moves the win from one to another. So whoever keeps the list cannot steer the
draw by padding it. Being lowest of ``weight`` independent digests is drawing in proportion to the
weights, exactly; ordering all candidates so is drawing without putting back.

Not established: that nobody knew the seed when the list was made. That is for whoever picks it.
"""

from collections.abc import Mapping
from typing import Final

from adyton.crypto.hashing import prefixed, sha256

__all__ = ["candidates_digest", "draw"]

_DOMAIN: Final = b"adyton/draw/v1\n"
_LIST_DOMAIN: Final = b"adyton/candidates/v1\n"
_NUMBER_SIZE: Final = 4


def draw(seed: bytes, candidates: Mapping[str, int], *, count: int = 1) -> tuple[str, ...]:
    """Return up to ``count`` of ``candidates``, in the order in which they are drawn.

    They are names with their weights; who has no weight is not drawn. The order in which they
    come has no influence.
    """
    lowest = {
        name: min(_ticket(seed, name, number) for number in range(weight))
        for name, weight in candidates.items()
        if weight > 0
    }
    return tuple(sorted(lowest, key=lowest.__getitem__)[:count])


def candidates_digest(candidates: Mapping[str, int]) -> bytes:
    """Return what stands for a list of candidates, in whatever order it comes.

    SHA-256 of ``"adyton/candidates/v1" ‖ 0x0A`` and, for each in the order of the names' UTF-8,
    ``u64le(len(name)) ‖ name ‖ u64le(4) ‖ u32le(weight)``.
    """
    rows = sorted((name.encode(), weight) for name, weight in candidates.items())
    return sha256(_LIST_DOMAIN + b"".join(prefixed(name, _u32(weight)) for name, weight in rows))


def _ticket(seed: bytes, name: str, number: int) -> bytes:
    return sha256(_DOMAIN + prefixed(seed, name.encode(), _u32(number)))


def _u32(number: int) -> bytes:
    return number.to_bytes(_NUMBER_SIZE, "little")
