"""The paths of evidence that somebody wants verified: the verdict is the answer, whatever it is."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.attestation_results import result_signer
from adyton.adapters.store.records import Scope
from adyton.appraisal.ear import issue_ear
from adyton.gateway.door import Door
from adyton.gateway.exchange import (
    json_response,
    json_text_response,
    read_body,
    while_caller_waits,
)
from adyton.gateway.ports import Appraiser
from adyton.gateway.routes import Operation, Route
from adyton.gateway.schemas import Absent, Base64, Document, VerdictDocument
from adyton.model.ports import Clock

__all__ = ["BODY_BYTES", "EvidenceVerifications"]

BODY_BYTES: Final = 2 * 1024 * 1024


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
    devices: list[Base64] | Absent = Field(
        None, description="evidence of GPUs and switches that belong to this processor"
    )
    device_collateral: list[dict[str, Any]] | Absent = Field(
        None, description="one for all devices, or one for each; else that of the processor"
    )
    ear: bool | Absent = Field(
        None, description="whether to answer an EAT Attestation Result (JWT), too; for now only"
    )


class KeySetDocument(Document):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]]


_OPERATION: Final = Operation(
    summary="Verify evidence",
    text="Offline, under the policy that comes with it. The verdict is the answer: 200 whatever it"
    " is. `claims` is what the evidence says, and null where it is not authentic.\n\n"
    "With `devices`, the answer has the verdicts on `processor` and `devices`, and the `binding`"
    " between them; `accepted` is for all of it. With `ear`, the verdict is there once more as a"
    " token, signed with one of the keys of `GET /v1/evidence/keys`.",
    body=EvidenceDocument,
    answer=VerdictDocument,
)


_KEYS_OPERATION: Final = Operation(
    summary="The keys of attestation results",
    text="What signs them here. Whoever believes a result trusts this gateway, and has these keys"
    " from where nobody else could have put theirs.",
    answer=KeySetDocument,
    is_open=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceVerifications:
    """Answers with verdicts on evidence. Nothing of it is stored.

    ``folder`` is where the key for attestation results is, once somebody wanted one.
    """

    door: Door
    appraiser: Appraiser
    clock: Clock
    folder: Path

    def routes(self) -> Sequence[Route]:
        """Return the paths of evidence."""
        verify, keys = "/v1/evidence/verify", "/v1/evidence/keys"
        return (
            Route(method="POST", path=verify, handler=self.answer, operation=_OPERATION),
            Route(method="GET", path=keys, handler=self.keys, operation=_KEYS_OPERATION),
        )

    async def answer(self, request: Request) -> Response:
        """Return the verdict on the evidence in ``request``, under the policy beside it.

        1. the caller has a key for verifying, and has not come too often in the last minute;
        2. the body comes in time and within its limit;
        3. there is a place for it;
        4. the body has evidence and a policy, and the verdict is for the instant that it names, or
           for now; a result is for now alone, and signed with a key that stays here.
        """
        # Step 1
        key = await self.door.admit(request, Scope.VERIFY)
        # Step 2
        body = await read_body(request, limit_bytes=BODY_BYTES)
        # Step 3
        with self.door.limiter.place(key):
            # Step 4: a stranger's policy may hold what takes a while to read.
            answer, result = await while_caller_waits(
                request, self.appraiser.request(body, now=self.clock())
            )
            if result is None:
                return json_text_response(answer)
            signer = await asyncio.to_thread(result_signer, self.folder)
        return json_response({**json.loads(answer), "ear": issue_ear(result, signer=signer)})

    async def keys(self, _request: Request) -> Response:
        """Return the keys that sign attestation results."""
        signer = await asyncio.to_thread(result_signer, self.folder)
        return json_response({"keys": [signer.public_jwk]})
