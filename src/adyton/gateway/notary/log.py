"""Reading the log: proofs by number and by digest, checkpoints, and proofs about the log."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.codec.json import JsonObject
from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.gateway.exchange import json_response
from adyton.gateway.limits import Limiter
from adyton.gateway.notary import documents
from adyton.gateway.notary.client import Notary
from adyton.gateway.notary.commits import CORS, open_to_pages
from adyton.gateway.notary.ranges import MOST_PROOFS, NDJSON, Ranges
from adyton.gateway.notary.stamps import Stamps
from adyton.gateway.problems import NotFoundError
from adyton.gateway.routes import Handler, Operation, Parameter, Route
from adyton.ledger.log_proof import LogProof
from adyton.ledger.records import Epoch
from adyton.ledger.tree import Hash

__all__ = ["Log", "StampUnknownError"]

_MAX_DIGITS: Final = 18
_DIGEST_SIZE: Final = 32
_TEXT: Final = "text/plain; charset=utf-8"
_COUNTER: Final = Parameter(name="counter", text="a proof's number", place="path")


class StampUnknownError(NotFoundError):
    """No checkpoint with a time stamp covers the proof, or there is none at all."""

    code = "stamp-unknown"

    def __init__(self, *, has_authority: bool) -> None:
        reason = (
            "the authority did not answer for one yet"
            if has_authority
            else "this gateway asks no authority: ADYTON_STAMP_AUTHORITY would name one"
        )
        super().__init__(f"there is no such checkpoint with a time stamp: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Answers from the notary's log. What it has is public: no key is needed.

    ``has_authority`` says whether somebody is asked for time stamps.
    """

    notary: Notary
    ranges: Ranges
    stamps: Stamps
    has_authority: bool
    limiter: Limiter

    def routes(self) -> Sequence[Route]:
        """Return the paths of the log."""
        return (
            *self._opened("/v1/log/checkpoint", self.checkpoint, _CHECKPOINT),
            *self._opened("/v1/log/stamp", self.stamp, _STAMP),
            *self._opened("/v1/log/proofs", self.proofs, _PROOFS),
            *self._opened("/v1/log/proofs/{counter}", self.proof, _PROOF),
            *self._opened("/v1/log/range", self.range, _RANGE),
            *self._opened("/v1/log/inclusion/{counter}", self.inclusion, _INCLUSION),
            *self._opened("/v1/log/consistency", self.consistency, _CONSISTENCY),
            *self._opened("/v1/log/epochs", self.epochs, _EPOCHS),
        )

    async def checkpoint(self, _request: Request) -> Response:
        """Return the newest checkpoint, a signed note."""
        return Response(await self.notary.checkpoint(), media_type=_TEXT, headers=_FRESH)

    async def stamp(self, request: Request) -> Response:
        """Return the newest checkpoint with a time stamp, or the first that covers a proof."""
        if (text := request.query_params.get("counter")) is None:
            found = await self.stamps.newest()
        else:
            found = await self.stamps.covering(_number(text, "counter"))
        if found is None:
            raise StampUnknownError(has_authority=self.has_authority)
        note = found.note.decode("utf-8", "replace")
        return json_response({"checkpoint": note, "stampB64": to_base64(found.answer)})

    async def proof(self, request: Request) -> Response:
        """Return the proof with a number."""
        counter = _number(request.path_params["counter"], "counter")
        return Response(await self.notary.proof(counter), media_type="application/json")

    async def proofs(self, request: Request) -> Response:
        """Return the proofs of a digest."""
        found = await self.notary.proofs(_digest(request))
        data = b"".join((b"[", b",".join(found), b"]"))
        return Response(data, media_type="application/json", headers=_FRESH)

    async def range(self, request: Request) -> Response:
        """Return the proofs with the numbers from one to another, a line each."""
        query = request.query_params
        first = _number(query.get("first", ""), "first")
        return await self.ranges.answer(first, _number(query.get("last", ""), "last"))

    async def inclusion(self, request: Request) -> Response:
        """Return a file that shows a proof to be in the log."""
        counter = _number(request.path_params["counter"], "counter")
        stamp = None
        if request.query_params.get("stamped") == "true":
            stamp = await self.stamps.covering(counter)
        size, extra = (0, b"") if stamp is None else (stamp.size, stamp.answer)
        found = await self.notary.inclusion(counter, size=size)
        note = found.note if stamp is None else stamp.note
        path = tuple(Hash(item) for item in found.path)
        made = LogProof(index=counter - 1, path=path, note=note, extra=extra)
        return Response(made.to_bytes(), media_type=_TEXT, headers=_FRESH)

    async def consistency(self, request: Request) -> Response:
        """Return the proof that the log only grew."""
        query = request.query_params
        old = _number(query.get("old", ""), "old")
        found = await self.notary.consistency(old=old, new=_number(query.get("new", "0"), "new"))
        path = [to_base64(item) for item in found.path]
        return json_response({"old": old, "new": found.size, "path": path})

    async def epochs(self, request: Request) -> Response:
        """Return the keys that have signed, in order."""
        after = _number(request.query_params.get("after", "0"), "after")
        found = await self.notary.epochs(after=after)
        return json_response({"epochs": [_epoch(epoch) for epoch in found]})

    def _opened(self, path: str, handler: Handler, operation: Operation) -> tuple[Route, Route]:
        async def limited(request: Request) -> Response:
            self.limiter.check_anonymous_rate()
            return await handler(request)

        route = Route(method="GET", path=path, handler=open_to_pages(limited), operation=operation)
        return route, CORS.preflight(path)


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise MalformedError(f"{name} is not a number")
    return int(text)


def _digest(request: Request) -> bytes:
    # A plus sign that nobody escaped arrives as a space, which base64 does not have.
    text = request.query_params.get("digest", "").replace(" ", "+").rstrip("=")
    text = text.replace("-", "+").replace("_", "/")
    try:
        digest = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (Base64Error, ValueError) as error:
        raise MalformedError("the digest is not base64") from error
    if len(digest) != _DIGEST_SIZE:
        raise MalformedError(f"the digest has {len(digest)} bytes, not {_DIGEST_SIZE}")
    return digest


def _epoch(epoch: Epoch) -> JsonObject:
    shown: JsonObject = {
        "epochId": epoch.id,
        "publicKeyB64": to_base64(epoch.public_key),
        "enforcement": epoch.enforcement.value,
        "measurement": epoch.measurement,
        "anchor": epoch.anchor,
        "first": str(epoch.first),
        "attestation": {"format": epoch.format, "reportB64": to_base64(epoch.report)},
    }
    if epoch.previous_id:
        shown["prevEpochId"] = epoch.previous_id
        shown["prevProofHashB64"] = to_base64(epoch.previous.proof_hash)
    return shown


_FRESH: Final = {"cache-control": "no-store"}
_CHECKPOINT: Final = Operation(
    summary="The newest checkpoint",
    text="A signed note: the log's name, its size and its root; at most a second behind the"
    " proofs. C2SP tlog-checkpoint.",
    answer=None,
    is_open=True,
)
_STAMP: Final = Operation(
    summary="The newest checkpoint with a time stamp",
    text="Of an authority that the operator chose (RFC 3161); 404 where there is none. With"
    " `counter`, the first one that covers this proof.",
    answer=documents.StampDocument,
    parameters=(Parameter(name="counter", text="a proof's number"),),
    is_open=True,
)
_PROOF: Final = Operation(
    summary="A proof by its number",
    text="The bytes that were hashed.",
    answer=documents.ProofDocument,
    parameters=(_COUNTER,),
    is_open=True,
)
_PROOFS: Final = Operation(
    summary="Proofs by digest",
    text="The first hundred, the oldest first: a list of proofs.",
    answer=documents.CommittedDocument,
    parameters=(Parameter(name="digest", text="32 bytes, base64url or base64"),),
    is_open=True,
)
_RANGE: Final = Operation(
    summary="Proofs by their numbers",
    text=f"From `first` on, one a line, {MOST_PROOFS} at most and none behind `last`. The answer"
    " ends where the log does, and may end earlier: ask on from behind the last one.",
    answer=None,
    answer_type=NDJSON,
    parameters=(
        Parameter(name="first", text="the first number"),
        Parameter(name="last", text="the last number"),
    ),
    is_open=True,
)
_INCLUSION: Final = Operation(
    summary="That a proof is in the log",
    text="The path from the proof to a checkpoint that covers it, with that checkpoint. C2SP"
    " tlog-proof. With `stamped=true`, the first checkpoint that covers it and has a time stamp,"
    " which is in `extra`, where there is one.",
    answer=None,
    parameters=(_COUNTER, Parameter(name="stamped", text="`true`, or nothing")),
    is_open=True,
)
_CONSISTENCY: Final = Operation(
    summary="That the log only grew",
    text="The path from one size to a later one (RFC 6962, section 2.1.2).",
    answer=documents.ConsistencyDocument,
    parameters=(
        Parameter(name="old", text="the earlier size"),
        Parameter(name="new", text="the later size; without it, the newest checkpoint's"),
    ),
    is_open=True,
)
_EPOCHS: Final = Operation(
    summary="The keys that signed",
    text="In order, some at a time, from behind the counter `after` on, with their evidence.",
    answer=documents.EpochList,
    parameters=(Parameter(name="after", text="a counter"),),
    is_open=True,
)
