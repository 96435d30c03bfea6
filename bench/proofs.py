"""``python -m bench.proofs``: verdicts on a notary's proofs against their bare signatures.

*Bare* is Ed25519 over the same bodies, made and decoded beforehand. Both take turns on one core,
and the processor's own time is counted, so that other programs matter less.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tests.fakes.proofs import FakeNotary

from adyton.codec.javascript import loads
from adyton.codec.text import from_base64
from adyton.crypto.ed25519 import check_ed25519
from adyton.ledger.proof import MAX_PROOF_BYTES, Proof
from adyton.ledger.walk import walk
from adyton.verification.notary import Beside, verify_commit
from bench.figures import say

__all__ = ["measure_proofs"]

PROOFS = 10_000
TURN = 500
WANTED = 0.6


def measure_proofs() -> None:
    """Print how many proofs a second are judged, and what that is of the signatures alone."""
    notary = FakeNotary()
    digests = []
    for number in range(PROOFS):
        data = number.to_bytes(4, "big")
        notary.commit(data)
        digests.append(hashlib.sha256(data).digest())
    key = notary.key.public
    signed = [signature_of(proof) for proof in notary.proofs]
    now = datetime.now(UTC)

    def bare(turn: slice) -> None:
        for body, signature in signed[turn]:
            check_ed25519(key, body, signature)

    def whole(turn: slice) -> None:
        for proof, digest in zip(notary.proofs[turn], digests[turn], strict=True):
            document = loads(proof, limit_bytes=MAX_PROOF_BYTES)
            beside = Beside(artifact=digest)
            if not verify_commit(document, at=now, beside=beside).accepted:
                raise RuntimeError("a proof does not hold")

    alone, judged = in_turns((bare, whole))
    start = time.process_time()
    if not walk(loads(proof, limit_bytes=MAX_PROOF_BYTES) for proof in notary.proofs).is_complete:
        raise RuntimeError("the chain is not whole")
    walked = time.process_time() - start
    say(f"\nverifying {PROOFS} proofs of a notary, on one core")
    say(f"  bare Ed25519                        {PROOFS / alone:8.0f} /s")
    say(
        f"  verdicts                            {PROOFS / judged:8.0f} /s"
        f"   {alone / judged:.2f} x   (wanted: {WANTED})"
    )
    say(f"  walking along them                  {PROOFS / walked:8.0f} /s")


def signature_of(proof: bytes) -> tuple[bytes, bytes]:
    """Return what a proof's signature is over, and the signature."""
    read = Proof.from_bytes(proof)
    return read.body(), from_base64(read.signature_text, "signature", limit_bytes=64)


def in_turns(ways: Sequence[Callable[[slice], None]]) -> list[float]:
    """Return the processor's seconds for each way over all proofs, a turn of each at a time."""
    spent = [0.0] * len(ways)
    for first in range(0, PROOFS, TURN):
        for index, way in enumerate(ways):
            start = time.process_time()
            way(slice(first, first + TURN))
            spent[index] += time.process_time() - start
    return spent


if __name__ == "__main__":
    measure_proofs()
