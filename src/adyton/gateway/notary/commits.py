"""Committing: the paths of provenclave's service, in its forms."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.store.records import Scope
from adyton.codec.text import to_base64
from adyton.errors import AdytonError
from adyton.gateway.cors import Cors
from adyton.gateway.door import Door
from adyton.gateway.exchange import json_response, json_text_response, read_body
from adyton.gateway.notary import documents
from adyton.gateway.notary.client import Notary
from adyton.gateway.notary.forms import is_upload, read_upload
from adyton.gateway.notary.lists import proof_list
from adyton.gateway.notary.reading import MAX_COMMIT_BYTES, read_key, read_submission
from adyton.gateway.notary.settings import CommitCallers, NotaryAccess
from adyton.gateway.observer import record_of
from adyton.gateway.problems import OverloadedError, problem
from adyton.gateway.routes import Handler, Operation, Route
from adyton.ledger.proof import proof_hash
from adyton.ledger.records import Submission

__all__ = ["CORS", "Commits"]

_COMMIT: Final = Operation(
    summary="Commit digests",
    text="Each digest gets a proof with the next number. All of them are committed, or none. The"
    " same `Idempotency-Key` gets the same proofs. The answer is a list of proofs. Files, as"
    " `application/octet-stream` or `multipart/form-data` of up to 64 MiB, are hashed as they come"
    " in and kept nowhere: `{proof, digestB64, proofHashB64}`, or a list of these for several.",
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
            if is_upload(request):
                return await self._commit_bytes(await read_upload(request, key=key))
            body = await read_body(request, limit_bytes=MAX_COMMIT_BYTES)
            submission = read_submission(body, key=key)
            # Step 3
            proofs = await self.notary.commit(submission)
        finally:
            self._in_flight -= 1
        return proof_list(proofs, count=len(submission.digests))

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

    async def _commit_bytes(self, submission: Submission) -> Response:
        """Commit what was sent itself, and not as digests; one file is answered without a list."""
        count = len(submission.digests)
        shown = map(_shown, submission.digests, await self.notary.commit(submission))
        if count == 1:
            return json_text_response(next(shown))
        return proof_list(shown, count=count)

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


def _shown(digest: bytes, proof: bytes) -> bytes:
    beside = {"digestB64": to_base64(digest), "proofHashB64": to_base64(proof_hash(proof))}
    return b'{"proof":' + proof + b"," + json.dumps(beside)[1:].encode()
