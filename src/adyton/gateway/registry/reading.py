"""What callers of the registry send: read strictly, within limits, and believed in nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.requests import Request

from adyton.adapters.store.registry_reader import Wanted
from adyton.codec.json import (
    JsonObject,
    as_integer,
    as_object,
    as_string,
    canonical,
    check_keys,
    loads,
)
from adyton.codec.text import exact_base64, from_base64
from adyton.codec.url import read_url
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import SIGNATURE_SIZE
from adyton.errors import MalformedError
from adyton.evidence.collateral import MAX_COLLATERAL_VALUES, Collateral
from adyton.model.manifest import Manifest
from adyton.model.registry import Beat, Exhibit, Heartbeat, Registration, State

__all__ = [
    "BODY_BYTES",
    "CHALLENGE_SIZE",
    "PAGE",
    "Application",
    "Beaten",
    "Drawing",
    "Page",
    "read_application",
    "read_candidates",
    "read_drawing",
    "read_heartbeat",
    "read_page",
    "read_reason",
    "read_worker",
]

T = TypeVar("T")

BODY_BYTES: Final = 1024 * 1024
CHALLENGE_SIZE: Final = 32
PAGE: Final = 100
_KEY_SIZE: Final = 32
_EVIDENCE_BYTES: Final = 256 * 1024
_ENDPOINT: Final = 256
_REASON: Final = 200
_SEED_SIZES: Final = range(16, 65)
_DRAWN: Final = 16
_NAME: Final = re.compile(r"[0-9a-f]{64}")
_TECHNOLOGY: Final = re.compile(r"[a-z0-9-]{1,32}")
_REGISTER: Final = re.compile(r"[a-z0-9_.-]{1,64}")
_HEX: Final = re.compile(r"(0[xX])?((?:[0-9a-fA-F]{2}){1,64})")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a worker sends to be registered. Nobody has checked it yet."""

    manifest: Manifest
    exhibit: Exhibit
    endpoint: str
    signature: bytes

    @property
    def registration(self) -> Registration:
        """What the signature has to be over."""
        exhibit = self.exhibit
        return Registration(
            challenge=exhibit.challenge,
            endpoint=self.endpoint,
            manifest_sha256=sha256(exhibit.manifest),
            evidence_sha256=sha256(exhibit.evidence) if exhibit.evidence else b"",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beaten:
    """A heartbeat as it is sent, with the key that it names and a signature nobody has checked."""

    heartbeat: Heartbeat
    signing_key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which workers are to be shown, and how many at a time."""

    wanted: Wanted
    limit: int
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A draw that is asked for. ``expected`` is the list it is to be over, if the caller says."""

    wanted: Wanted
    seed: bytes
    count: int
    expected: bytes | None


def read_application(body: bytes) -> Application:
    """Return the registration in ``body``, or raise ``MalformedError``."""
    record = _record(body, _APPLICATION, optional=frozenset({"evidence", "collateral"}))
    manifest = Manifest.from_json(record["manifest"])
    exhibit = Exhibit(
        # Canonical: the bytes that evidence commits to.
        manifest=manifest.to_bytes(),
        challenge=_bytes(record, "challenge", size=CHALLENGE_SIZE),
        evidence=_evidence(record),
        collateral=_collateral(record),
    )
    if exhibit.collateral and not exhibit.evidence:
        raise MalformedError("there is collateral, and no evidence that it is for")
    return Application(
        manifest=manifest,
        exhibit=exhibit,
        endpoint=_endpoint(as_string(record["endpoint"], "endpoint", limit=_ENDPOINT)),
        signature=_bytes(record, "signature", size=SIGNATURE_SIZE),
    )


def read_heartbeat(worker: str, body: bytes) -> Beaten:
    """Return the heartbeat in ``body``, or raise ``MalformedError``."""
    record = _record(body, _HEARTBEAT)
    state = as_string(record["state"], "state", limit=16)
    if state not in set(Beat):
        raise MalformedError(f"state is not {' or '.join(Beat)}")
    return Beaten(
        heartbeat=Heartbeat(
            worker=worker,
            state=Beat(state),
            time=as_integer(record["time"], "time", low=1),
        ),
        signing_key=_bytes(record, "signing_key", size=_KEY_SIZE),
        signature=_bytes(record, "signature", size=SIGNATURE_SIZE),
    )


def read_reason(body: bytes) -> str:
    """Return the operator's reason in ``body``, or raise ``MalformedError``."""
    reason = as_string(_record(body, frozenset({"reason"}))["reason"], "reason", limit=_REASON)
    if not reason or not reason.isprintable():
        raise MalformedError(f"reason has not 1 to {_REASON} printable characters")
    return reason


def read_worker(request: Request) -> str:
    """Return the worker's name in the path, or raise ``MalformedError``."""
    return _name(request.path_params["id"])


def read_page(request: Request) -> Page:
    """Return what the query asks to see, or raise ``MalformedError``."""
    query = _Query(request, frozenset({"state", "limit", "after", *_WANTED}))
    return Page(
        wanted=_wanted(query, state=query.read("state", _state)),
        limit=query.read("limit", lambda text: _count(text, "limit", PAGE)) or PAGE,
        after=query.read("after", _name) or "",
    )


def read_candidates(request: Request) -> Wanted:
    """Return the candidates that the query asks for, or raise ``MalformedError``."""
    return _wanted(_Query(request, _WANTED), state=State.ACTIVE)


def read_drawing(request: Request) -> Drawing:
    """Return the draw that the query asks for, or raise ``MalformedError``."""
    query = _Query(request, frozenset({"seed", "count", "candidates_sha256", *_WANTED}))
    seed = query.read("seed", lambda text: _hexadecimal(text, "seed"))
    if seed is None or len(seed) not in _SEED_SIZES:
        raise MalformedError(
            f"seed is not {_SEED_SIZES[0]} to {_SEED_SIZES[-1]} bytes in hexadecimal"
        )
    return Drawing(
        wanted=_wanted(query, state=State.ACTIVE),
        seed=seed,
        count=query.read("count", lambda text: _count(text, "count", _DRAWN)) or 1,
        expected=query.read(
            "candidates_sha256", lambda text: _hexadecimal(text, "candidates_sha256")
        ),
    )


def _wanted(query: "_Query", *, state: State | None) -> Wanted:
    return Wanted(
        state=state,
        technology=query.read("technology", _technology),
        measurement=query.read("measurement", _measurement),
        genuine=query.read("attested", _true) or False,
    )


class _Query:
    """The query of a request: each name once, and no unknown one."""

    def __init__(self, request: Request, names: frozenset[str]) -> None:
        pairs = request.query_params.multi_items()
        self._values = dict(pairs)
        if len(self._values) != len(pairs):
            raise MalformedError("a name is twice in the query")
        if unknown := sorted(self._values.keys() - names):
            raise MalformedError(f"the query has the unknown name {unknown[0][:64]!r}")

    def read(self, name: str, reader: Callable[[str], T]) -> T | None:
        """Return what ``reader`` makes of the value; ``None`` where there is none."""
        text = self._values.get(name)
        return None if text is None else reader(text)


_APPLICATION: Final = frozenset({"manifest", "challenge", "endpoint", "signature"})
_HEARTBEAT: Final = frozenset({"state", "time", "signing_key", "signature"})
_WANTED: Final = frozenset({"technology", "measurement", "attested"})


def _record(
    body: bytes, required: frozenset[str], *, optional: frozenset[str] = frozenset()
) -> JsonObject:
    value = loads(body, limit_bytes=BODY_BYTES, limit_values=MAX_COLLATERAL_VALUES)
    record = as_object(value, "the request")
    check_keys(record, "the request", required=required, optional=optional)
    return record


def _bytes(record: JsonObject, name: str, *, size: int) -> bytes:
    text = as_string(record[name], name, limit=2 * size)
    return exact_base64(text, name, size=size)


def _evidence(record: JsonObject) -> bytes:
    if "evidence" not in record:
        return b""
    text = as_string(record["evidence"], "evidence", limit=2 * _EVIDENCE_BYTES)
    data = from_base64(text, "evidence", limit_bytes=_EVIDENCE_BYTES)
    if not data:
        raise MalformedError("evidence is empty; leave it out where there is none")
    return data


def _collateral(record: JsonObject) -> bytes:
    if "collateral" not in record:
        return b""
    data = canonical(as_object(record["collateral"], "collateral"))
    # Read now, so that nothing is kept that could not be read again.
    Collateral.from_bytes(data)
    return data


def _endpoint(text: str) -> str:
    read_url(text)
    if "?" in text or not text.isascii():
        raise MalformedError("endpoint is not an https address in ascii, without a query")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise MalformedError("a worker's name is 64 hexadecimal digits")
    return text


def _state(text: str) -> State:
    if text not in set(State):
        raise MalformedError(f"state is not {' or '.join(State)}")
    return State(text)


def _technology(text: str) -> str:
    if not _TECHNOLOGY.fullmatch(text):
        raise MalformedError("technology is no name of one")
    return text


def _measurement(text: str) -> tuple[str, bytes]:
    name, _, value = text.partition(":")
    if not _REGISTER.fullmatch(name):
        raise MalformedError("measurement is not the name of a register, a colon and its value")
    return name, _hexadecimal(value, "measurement")


def _hexadecimal(text: str, where: str) -> bytes:
    if (match := _HEX.fullmatch(text)) is None:
        raise MalformedError(f"{where} is not 1 to 64 bytes in hexadecimal")
    return bytes.fromhex(match[2])


def _count(text: str, where: str, limit: int) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > limit:
        raise MalformedError(f"{where} is not in 1..{limit}")
    return int(text)


def _true(text: str) -> bool:
    if text != "true":
        raise MalformedError("attested is true, or left out")
    return True
