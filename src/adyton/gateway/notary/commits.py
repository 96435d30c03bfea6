"""Committing: the paths of provenclave's service, in its forms."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from adyton.adapters.store.records import Scope
from adyton.codec.text import to_base64
from adyton.errors import AdytonError
from adyton.gateway.cors import Cors
from adyton.gateway.door import Door
from adyton.gateway.exchange import json_response, read_body
from adyton.gateway.notary import documents
from adyton.gateway.notary.client import Notary
from adyton.gateway.notary.reading import MAX_COMMIT_BYTES, read_key, read_submission
from adyton.gateway.notary.settings import CommitCallers, NotaryAccess
from adyton.gateway.observer import record_of
from adyton.gateway.problems import (
    BodyTooLargeError,
    BodyTooSlowError,
    CallerGoneError,
    OverloadedError,
    problem,
)
from adyton.gateway.routes import Handler, Operation, Route
from adyton.ledger.proof import proof_hash
from adyton.ledger.records import Submission

__all__ = ["CORS", "Commits"]

_COMMIT: Final = Operation(
    summary="Commit digests",
    text="Each digest gets a proof with the next number. All of them are committed, or none. The"
    " same `Idempotency-Key` gets the same proofs. The answer is a list of proofs.",
    body=documents.CommitDocument,
    answer=documents.CommittedDocument,
    examples={
        "one digest": {
            "digests": [
                {
                    "digestB64": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                    "hashAlg": "sha256",
                }
            ]
        }
    },
)
_KEY: Final = Operation(
    summary="The key that signs proofs",
    text="It changes when the notary starts again; `GET /v1/log/epochs` has all of them.",
    answer=documents.KeyDocument,
    is_open=True,
)

CORS: Final = Cors(
    methods=("GET", "POST"), headers=("Content-Type", "Authorization", "Idempotency-Key")
)
_FILE_BYTES: Final = 64 * 1024 * 1024
_FILE_TIME: Final = timedelta(seconds=60)
_OCTETS: Final = "application/octet-stream"


@dataclass(slots=True, kw_only=True)
class Commits:
    """Takes digests and answers with proofs; tells the key that signs them."""

    door: Door
    notary: Notary
    access: NotaryAccess
    _in_flight: int = field(default=0, init=False)

    def routes(self) -> Sequence[Route]:
        """Return the paths of committing."""
        return (
            Route(
                method="POST", path="/commit", handler=open_to_pages(self.commit), operation=_COMMIT
            ),
            CORS.preflight("/commit"),
            Route(method="GET", path="/key", handler=open_to_pages(self.key), operation=_KEY),
            CORS.preflight("/key"),
        )

    async def commit(self, request: Request) -> Response:
        """Return the proofs of the digests in ``request``: of all, or of none.

        1. the caller may commit, and has not come too often in the last minute;
        2. there is a place for the request, and its body is read within limits;
        3. the notary signs, and the proofs are durable before they come back.
        """
        # Step 1
        caller = await self._caller(request)
        key = read_key(request.headers.get("idempotency-key"), caller=caller)
        # Step 2
        if self._in_flight >= self.access.in_flight:
            raise OverloadedError
        self._in_flight += 1
        try:
            if _media_type(request) == _OCTETS:
                return await self._commit_bytes(request, key)
            body = await read_body(request, limit_bytes=MAX_COMMIT_BYTES)
            submission = read_submission(body, key=key)
            # Step 3
            proofs = await self.notary.commit(submission)
        finally:
            self._in_flight -= 1
        return _json(b"".join((b"[", b",".join(proofs), b"]")))

    async def key(self, _request: Request) -> Response:
        """Return the key that signs now, and what it says of itself."""
        epoch = await self.notary.epoch()
        return json_response(
            {
                "publicKeyB64": to_base64(epoch.public_key),
                "measurement": epoch.measurement,
                "enforcement": epoch.enforcement.value,
                "epochId": epoch.id,
                "anchor": epoch.anchor,
            }
        )

    async def _commit_bytes(self, request: Request, key: bytes) -> Response:
        """Commit the digest of a body that is hashed as it comes in, and kept nowhere."""
        digest = await _hash_body(request)
        (proof,) = await self.notary.commit(Submission(digests=(digest,), key=key))
        shown = json.dumps(
            {"digestB64": to_base64(digest), "proofHashB64": to_base64(proof_hash(proof))}
        )
        return _json(b'{"proof":' + proof + b"," + shown[1:].encode())

    async def _caller(self, request: Request) -> str:
        if self.access.callers is CommitCallers.ANYBODY:
            self.door.limiter.check_anonymous_rate()
            return ""
        return (await self.door.admit(request, Scope.COMMIT)).id


def open_to_pages(handler: Handler) -> Handler:
    """Return ``handler`` with answers that a page may read, errors included."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except AdytonError as error:
            record_of(request.scope).code = error.code
            return problem(error)

    return CORS.allow(answered)


async def _hash_body(request: Request) -> bytes:
    hashed, size = hashlib.sha256(), 0
    try:
        async with asyncio.timeout(_FILE_TIME.total_seconds()):
            async for chunk in request.stream():
                size += len(chunk)
                if size > _FILE_BYTES:
                    raise BodyTooLargeError(limit_bytes=_FILE_BYTES)
                hashed.update(chunk)
    except TimeoutError as error:
        raise BodyTooSlowError(within=_FILE_TIME) from error
    except ClientDisconnect as error:
        raise CallerGoneError from error
    return hashed.digest()


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _json(data: bytes) -> Response:
    # The canonical bytes as they are: printed again, they might no longer be what was hashed.
    return Response(data, media_type="application/json", headers={"cache-control": "no-store"})
