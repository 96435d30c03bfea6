"""The path of evidence that somebody wants verified: the verdict is the answer, whatever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.store.records import Scope
from adyton.codec.json import JsonObject, as_object, check_keys, loads
from adyton.evidence.collateral import MAX_COLLATERAL_VALUES, NO_COLLATERAL
from adyton.gateway.door import Door
from adyton.gateway.exchange import json_response, read_body, while_caller_waits
from adyton.gateway.ports import Appraiser, Clock
from adyton.gateway.routes import Operation, Route
from adyton.gateway.schemas import Absent, Base64, Document, VerdictDocument
from adyton.verification.bundle import VERSION, Bundle

__all__ = ["BODY_BYTES", "EvidenceVerifications"]

BODY_BYTES: Final = 2 * 1024 * 1024
_REQUIRED: Final = frozenset({"evidence", "policy"})
_OPTIONAL: Final = frozenset({"collateral", "expected", "at"})


class ExpectedDocument(Document):
    """What the evidence has to be over; what is left out is not compared."""

    report_data: Base64 | Absent = None
    nonce: Base64 | Absent = None
    public_key: Base64 | Absent = None
    manifest: Base64 | Absent = Field(None, description="SHA-256 of the manifest")
    challenge: Base64 | Absent = Field(None, description="the one that the evidence came with")
    asked: Base64 | Absent = Field(None, description="the one that you sent")


class EvidenceDocument(Document):
    """Evidence in any format that is read here, and what its verdict depends on."""

    evidence: Base64
    policy: dict[str, Any]
    collateral: dict[str, Any] | Absent = Field(None, description="nothing is fetched")
    expected: ExpectedDocument | Absent = None
    at: str | Absent = Field(None, description="the instant to judge for (RFC 3339); now")


_OPERATION: Final = Operation(
    summary="Verify evidence",
    text="Offline, under the policy that comes with it. The verdict is the answer: 200 whatever it"
    " is. `claims` is what the evidence says, and null where it is not authentic.",
    body=EvidenceDocument,
    answer=VerdictDocument,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceVerifications:
    """Answers with verdicts on evidence. Nothing of it is stored."""

    door: Door
    appraiser: Appraiser
    clock: Clock

    def routes(self) -> Sequence[Route]:
        """Return the path of evidence."""
        path = "/v1/evidence/verify"
        return (Route(method="POST", path=path, handler=self.answer, operation=_OPERATION),)

    async def answer(self, request: Request) -> Response:
        """Return the verdict on the evidence in ``request``, under the policy beside it.

        1. the caller has a key for verifying, and has not come too often in the last minute;
        2. the body has evidence and a policy, in time and within its limit;
        3. there is a place for it;
        4. the verdict is for the instant that the caller names, or for now.
        """
        # Step 1
        key = await self.door.admit(request, Scope.VERIFY)
        # Step 2
        bundle = _read(await read_body(request, limit_bytes=BODY_BYTES), now=self.clock())
        # Step 3
        with self.door.limiter.place(key):
            # Step 4
            verdict, claims = await while_caller_waits(
                request,
                self.appraiser.evidence(
                    bundle.evidence,
                    collateral=bundle.collateral,
                    policy=bundle.policy,
                    expected=bundle.expected,
                    at=bundle.at,
                ),
            )
        said = None if claims is None else claims.to_json()
        return json_response({**verdict.to_json(), "claims": said})


def _read(body: bytes, *, now: datetime) -> Bundle:
    """Return the bundle in ``body``, whose missing parts are nothing, and now."""
    value = loads(body, limit_bytes=BODY_BYTES, limit_values=MAX_COLLATERAL_VALUES)
    record = as_object(value, "the request")
    check_keys(record, "the request", required=_REQUIRED, optional=_OPTIONAL)
    missing: JsonObject = {
        "version": VERSION,
        "collateral": NO_COLLATERAL.to_json(),
        "expected": {},
        "at": now.astimezone(UTC).isoformat(),
    }
    return Bundle.from_json({**missing, **record})
