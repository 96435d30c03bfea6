"""The path of a receipt that somebody wants verified: the verdict is the answer, whatever it is."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.store.records import Scope
from adyton.appraisal.policy import MAX_POLICY_BYTES
from adyton.codec.json import JsonObject, as_object, loads
from adyton.errors import MalformedError, UnavailableError
from adyton.gateway import schemas
from adyton.gateway.door import Door
from adyton.gateway.exchange import json_response, read_body, while_caller_waits
from adyton.gateway.ports import Verifier
from adyton.gateway.routes import Operation, Route
from adyton.model.ports import Clock
from adyton.model.receipt import MAX_RECEIPT_BYTES

__all__ = ["VerificationTimeoutError", "Verifications"]

_BODY_BYTES: Final = MAX_RECEIPT_BYTES + MAX_POLICY_BYTES


class VerificationTimeoutError(UnavailableError):
    """The verifier gave no verdict in time: that is none, not a bad one."""

    code = "verification-timeout"

    def __init__(self) -> None:
        super().__init__("there was no verdict in time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifications:
    """Answers with verdicts. Nothing of a verification is stored."""

    door: Door
    verifier: Verifier
    clock: Clock
    deadline: timedelta

    def routes(self) -> Sequence[Route]:
        """Return the path of a verification."""
        operation = Operation(
            summary="Verify a receipt",
            text="The verdict is the answer: 200 whatever it is.",
            body=schemas.VerificationDocument,
            answer=schemas.VerdictDocument,
        )
        path = "/v1/verify/proof"
        return (Route(method="POST", path=path, handler=self.answer, operation=operation),)

    async def answer(self, request: Request) -> Response:
        """Return the verdict on the receipt in ``request``, under the policy beside it.

        1. the caller has a key for verifying, and has not come too often in the last minute;
        2. the body is a JSON object with a policy, in time and within its limit;
        3. there is a place for it;
        4. the verifier gives its verdict, for this instant.
        """
        # Step 1
        key = await self.door.admit(request, Scope.VERIFY)
        # Step 2
        receipt, policy = _read(await read_body(request, limit_bytes=_BODY_BYTES))
        # Step 3
        with self.door.limiter.place(key):
            # Step 4
            verdict = await while_caller_waits(request, self._verify(receipt, policy))
        return json_response(verdict)

    async def _verify(self, receipt: JsonObject, policy: JsonObject) -> JsonObject:
        try:
            async with asyncio.timeout(self.deadline.total_seconds()):
                return await self.verifier.verify(receipt, policy, at=self.clock())
        except TimeoutError as error:
            raise VerificationTimeoutError from error


def _read(body: bytes) -> tuple[JsonObject, JsonObject]:
    record = as_object(loads(body, limit_bytes=_BODY_BYTES), "the request")
    if "policy" not in record:
        raise MalformedError("the request lacks policy: without one, no receipt is acceptable")
    policy = as_object(record.pop("policy"), "policy")
    return record, policy
