"""A registry over HTTP, for a worker's gateway: what the worker has signed is carried there.

Nothing that is sent is a secret but the API key. What comes back says when to come again, and is
believed in nothing else.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from adyton.codec.json import JsonObject, as_object, as_string, loads
from adyton.codec.text import from_base64
from adyton.errors import MalformedError, UnavailableError
from adyton.model.registry import State

__all__ = ["TIMEOUT", "Membership", "RegistryClient", "RegistryUnavailableError"]

TIMEOUT: Final = httpx.Timeout(20, connect=5)
_DEADLINE_SECONDS: Final = 30.0
_MAX_ANSWER: Final = 64 * 1024
_CHALLENGE: Final = 64
_MAX_CODE: Final = 64
_PATH: Final = "/v1/registry"


class RegistryUnavailableError(UnavailableError):
    """The registry cannot be reached, or does not take what a worker sends."""

    code = "registry-unavailable"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the registry does not answer as wanted: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What a registry says of a worker that it has registered; ``until`` is for its evidence."""

    id: str
    state: State
    until: datetime | None


class RegistryClient:
    """Talks to the registry at ``url``. The client is the caller's, who also closes it."""

    def __init__(self, client: httpx.AsyncClient, *, url: str, api_key: str) -> None:
        self._client, self._url = client, url.rstrip("/")
        self._headers = {
            "authorization": f"Bearer {api_key}",
            "content-type": "application/json",
        }

    async def challenge(self) -> bytes:
        """Return a challenge for the next registration."""
        record = await self._post("/challenges", b"")
        try:
            text = as_string(record.get("challenge"), "challenge", limit=2 * _CHALLENGE)
            return from_base64(text, "challenge", limit_bytes=_CHALLENGE)
        except MalformedError as error:
            raise RegistryUnavailableError(reason=str(error)) from error

    async def register(self, application: bytes) -> Membership:
        """Register the worker that made ``application``."""
        record = await self._post("/workers", application)
        attestation = record.get("attestation")
        until = attestation.get("until") if isinstance(attestation, dict) else None
        try:
            return Membership(
                id=as_string(record.get("id"), "id", limit=64),
                state=_state(record),
                until=None if until is None else datetime.fromisoformat(str(until)),
            )
        except (MalformedError, ValueError) as error:
            raise RegistryUnavailableError(reason="its answer cannot be read") from error

    async def beat(self, worker: str, heartbeat: bytes) -> State:
        """Post a heartbeat; return the state that the worker is in."""
        record = await self._post(f"/workers/{worker}/heartbeats", heartbeat)
        try:
            return _state(record)
        except MalformedError as error:
            raise RegistryUnavailableError(reason="its answer cannot be read") from error

    async def _post(self, path: str, body: bytes) -> JsonObject:
        request = self._client.build_request(
            "POST", f"{self._url}{_PATH}{path}", content=body, headers=self._headers
        )
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                status, answer = await self._send(request)
            record = as_object(loads(answer, limit_bytes=_MAX_ANSWER), "the answer")
        except (httpx.HTTPError, TimeoutError) as error:
            raise RegistryUnavailableError(reason=type(error).__name__) from error
        except MalformedError as error:
            raise RegistryUnavailableError(reason="its answer cannot be read") from error
        if status != httpx.codes.OK:
            raise RegistryUnavailableError(reason=f"{status} {_code(record)}")
        return record

    async def _send(self, request: httpx.Request) -> tuple[int, bytes]:
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MAX_ANSWER:
                    raise RegistryUnavailableError(reason="its answer is too long")
        finally:
            await response.aclose()
        return response.status_code, bytes(body)


def _state(record: Mapping[str, object]) -> State:
    text = record.get("state")
    if not isinstance(text, str) or text not in set(State):
        raise MalformedError("state is none of a worker's")
    return State(text)


def _code(record: JsonObject) -> str:
    code = record.get("code")
    return code[:_MAX_CODE] if isinstance(code, str) and code.isascii() else ""
