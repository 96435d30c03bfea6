"""Checking a proof for somebody: structure, key and signature, and whose it is.

The bytes that it is about are not sent here, and nothing of the log or of the evidence is looked
at: ``adyton verify`` does all of that, and needs no gateway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.codec.javascript import loads
from adyton.codec.json import JsonObject
from adyton.errors import MalformedError
from adyton.gateway.exchange import json_response, read_body
from adyton.gateway.limits import Limiter
from adyton.gateway.notary import documents
from adyton.gateway.notary.commits import CORS, open_to_pages
from adyton.gateway.routes import Operation, Route
from adyton.ledger.proof import MAX_PROOF_BYTES
from adyton.model.verdict import Layer, Status
from adyton.verification.commit import commit_layer, passed_checks, read_proof
from adyton.verification.notary_policy import NotaryPolicy, TrustAnchors

__all__ = ["Checks"]

_LIMIT_BYTES: Final = MAX_PROOF_BYTES + 64 * 1024
_MEMBERS: Final = frozenset({"proof", "policy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Answers whether a proof holds."""

    limiter: Limiter

    def routes(self) -> Sequence[Route]:
        """Return the path of a check."""
        handler = open_to_pages(self.verify)
        return (
            Route(method="POST", path="/verify", handler=handler, operation=_VERIFY),
            CORS.preflight("/verify"),
        )

    async def verify(self, request: Request) -> Response:
        """Return whether the proof in ``request`` holds; 200 whatever the answer is."""
        self.limiter.check_anonymous_rate()
        value = loads(await read_body(request, limit_bytes=_LIMIT_BYTES), limit_bytes=_LIMIT_BYTES)
        if not isinstance(value, dict) or "proof" not in value:
            raise MalformedError("the request is not an object with a proof")
        if unknown := sorted(value.keys() - _MEMBERS):
            raise MalformedError(f"the request has the unknown field {unknown[0][:64]!r}")
        signer = TrustAnchors.from_json(value.get("policy", {}))
        policy = NotaryPolicy.of(signer=signer)
        # This layer alone: the evidence in a proof is anybody's, and would be read for nothing.
        layer = commit_layer(read_proof(value["proof"]), artifact=None, policy=policy)
        return json_response(_answer(layer))


def _answer(layer: Layer) -> JsonObject:
    answer: JsonObject = {"valid": True, "checks": [*passed_checks(layer)]}
    for part in layer.parts:
        # The digest is not required: nobody sent the bytes. What could not be judged is no yes.
        if part.status in {Status.FAILED, Status.NOT_EVALUATED}:
            reason = part.findings[0].message if part.findings else part.name
            return answer | {"valid": False, "reason": f"{part.name}: {reason}"}
    return answer


_VERIFY: Final = Operation(
    summary="Check a proof",
    text="Structure, key, signature and trust anchors. Not the bytes, which are not sent, nor"
    " evidence and log: `adyton verify` checks them, offline.",
    body=documents.ProofVerificationDocument,
    answer=documents.ProofVerdictDocument,
    is_open=True,
)
