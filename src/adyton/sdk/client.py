"""Clients, blocking and asynchronous: ask, and get an answer that was verified.

By default nothing is sealed before the worker's evidence was judged under the policy, with a fresh
challenge; what the worker gives back is verified before it is called an answer. Neither trusts the
gateway: it is on the host, and the host is the adversary.
"""

import re
import secrets as random
import ssl
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Choice, Policy
from adyton.codec.json import Json, JsonObject, canonical, loads
from adyton.codec.text import to_base64
from adyton.crypto.hpke import SealSuite
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError
from adyton.model.question import Endpoint
from adyton.model.receipt import MAX_RECEIPT_BYTES, Receipt
from adyton.sdk.asking import Answer, ReceiptRejectedError, Stopwatch, question_body
from adyton.sdk.sealing import sealed_question
from adyton.sdk.verifying import Source, read_policy
from adyton.sdk.worker import Worker, judge_worker
from adyton.verification.bind import Expectation

__all__ = ["AsyncClient", "Client", "GatewayError", "GatewayUnavailableError"]

_CHALLENGE_SIZE: Final = 32
_NONCE_SIZE: Final = 24
# A worker's evidence, once judged, is not asked for again within this time.
_TRUSTED_FOR: Final = timedelta(minutes=2)
_TIMEOUT: Final = httpx.Timeout(90, connect=10)
_MESSAGE_LIMIT: Final = 500
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

_T = TypeVar("_T")


class GatewayUnavailableError(UnavailableError):
    """The gateway could not be reached, or did not answer as one."""

    code = "gateway-unavailable"


class GatewayError(AdytonError):
    """The gateway or the worker answered with an error: ``code`` and message are theirs."""

    def __init__(self, *, status: int, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.status = status
        self.__dict__["code"] = code


class GatewayMalformedError(GatewayError, MalformedError):
    """What was sent could not be understood."""


class GatewayRejectedError(GatewayError, RejectedError):
    """The answer is no."""


class GatewayTryLaterError(GatewayError, UnavailableError):
    """There is no answer now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request for the transport to make."""

    method: str
    path: str
    body: bytes | None = None


# A conversation yields calls and is sent the answers; it never makes one itself, so that the
# blocking and the asynchronous client run the very same one.
_Conversation = Generator[_Call, bytes, _T]


class _Core:
    """What both clients are made of."""

    def __init__(
        self, *, policy: Policy, suite: SealSuite, verifier: OfflineVerifier | None
    ) -> None:
        self._policy, self._suite = policy, suite
        self._owns_verifier = verifier is None
        self._verifier = verifier or OfflineVerifier()
        self._worker: Worker | None = None

    def close(self) -> None:
        """End the verifier, unless it was given: then others may use it."""
        if self._owns_verifier:
            self._verifier.close()

    def worker(self) -> _Conversation[Worker]:
        now = _now()
        if self._worker is not None and now - self._worker.judged < _TRUSTED_FOR:
            return self._worker
        challenge = random.token_bytes(_CHALLENGE_SIZE)
        path = f"/v1/attestation?challenge={_url_text(challenge)}"
        answer = yield _Call(method="GET", path=path)
        self._worker = judge_worker(
            _json(answer), challenge=challenge, policy=self._policy, at=_now()
        )
        return self._worker

    def ask(
        self, endpoint: Endpoint, body: JsonObject, secrets: Mapping[str, Json]
    ) -> _Conversation[Answer]:
        watch = Stopwatch()
        worker = yield from self.worker()
        watch.lap("evidence")
        question, sealed = sealed_question(
            endpoint,
            body,
            secrets=secrets,
            public_key=worker.sealing_key(self._suite),
            suite=self._suite,
            now=_now(),
        )
        watch.lap("seal")
        path, challenge = f"/v1/verify/{endpoint.value}", None
        if self._policy.evidence.challenge is Choice.REQUIRED:
            challenge = random.token_bytes(_CHALLENGE_SIZE)
            path += f"?challenge={_url_text(challenge)}"
        try:
            data = yield _Call(method="POST", path=path, body=canonical(sealed))
        except GatewayRejectedError as error:
            if error.code == "seal-rejected":
                # Perhaps the worker was started anew: judge it again before the next try.
                self._worker = None
            raise
        watch.lap("answer")
        expectation = Expectation(question=question, challenge=challenge)
        return self._conclude(Receipt.from_bytes(data), expectation, watch)

    def _conclude(self, receipt: Receipt, expectation: Expectation, watch: Stopwatch) -> Answer:
        verdict = self._verifier.verify(
            receipt,
            policy=self._policy,
            expectation=expectation,
            at=_now(),
        )
        watch.lap("verify")
        if verdict.answer is None:
            raise ReceiptRejectedError(verdict, receipt)
        return Answer(
            answer=verdict.answer, receipt=receipt, verdict=verdict, timings=watch.timings
        )


class Client:
    """The blocking client.

    ``policy`` is what you accept of a worker and of its receipts, read or as a file: there is no
    default, because whom to trust is your decision. ``ca_file`` names the roots for the gateway's
    own certificate, where they are not Mozilla's.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str,
        policy: Policy | Source,
        ca_file: Path | None = None,
        suite: SealSuite = SealSuite.X25519,
        verifier: OfflineVerifier | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._core = _Core(policy=read_policy(policy), suite=suite, verifier=verifier)
        self._http = httpx.Client(
            base_url=url,
            headers=_headers(api_key),
            timeout=_TIMEOUT,
            transport=transport,
            verify=_roots(ca_file),
            trust_env=not _is_here(url),
        )

    def worker(self) -> Worker:
        """Return the worker behind the gateway, judged; ``WorkerRejectedError`` if refused."""
        return self._run(self._core.worker())

    def ask(
        self,
        endpoint: Endpoint | str,
        predicate: JsonObject,
        *,
        credentials: Mapping[str, str] | None = None,
        provider: str | JsonObject | None = None,
        nonce: str | None = None,
        audience: str = "",
        secrets: Mapping[str, Json] | None = None,
        **extra: Json,
    ) -> Answer:
        """Return the verified answer to a question.

        ``credentials`` go sealed, whatever they are. ``secrets`` are further sealed values by JSON
        pointer, where the body has ``encrypted:`` in a place of its own. ``extra`` holds further
        fields of RFC-0023: ``months``, ``extraction``, ``response_extraction``.

        Raises ``WorkerRejectedError`` before anything is sealed, ``ReceiptRejectedError`` for an
        answer that does not hold, ``GatewayError`` for one that was refused, and
        ``GatewayUnavailableError``.
        """
        endpoint = Endpoint(endpoint)
        body, sealed = question_body(
            predicate,
            nonce=nonce or random.token_urlsafe(_NONCE_SIZE),
            provider=provider,
            credentials=credentials or {},
            audience=audience,
            extra=extra,
        )
        return self._run(self._core.ask(endpoint, body, {**sealed, **(secrets or {})}))

    def close(self) -> None:
        """Close the connections, and end the verifier where it is this client's own."""
        self._http.close()
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _run(self, conversation: _Conversation[_T]) -> _T:
        answer: bytes | None = None
        error: AdytonError | None = None
        while True:
            try:
                call = _next(conversation, answer, error)
            except StopIteration as stop:
                result: _T = stop.value
                return result
            answer = error = None
            try:
                answer = self._send(call)
            except AdytonError as raised:
                error = raised

    def _send(self, call: _Call) -> bytes:
        received = bytearray()
        try:
            with self._http.stream(call.method, call.path, content=call.body) as response:
                _check_plain(response)
                for chunk in response.iter_bytes():
                    _receive(chunk, received)
        except httpx.HTTPError as error:
            raise GatewayUnavailableError(
                f"the gateway cannot be reached at {self._http.base_url}"
            ) from error
        return _body(response.status_code, bytes(received))


class AsyncClient:
    """The asynchronous client: as ``Client``, with ``await``."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str,
        policy: Policy | Source,
        ca_file: Path | None = None,
        suite: SealSuite = SealSuite.X25519,
        verifier: OfflineVerifier | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._core = _Core(policy=read_policy(policy), suite=suite, verifier=verifier)
        self._http = httpx.AsyncClient(
            base_url=url,
            headers=_headers(api_key),
            timeout=_TIMEOUT,
            transport=transport,
            verify=_roots(ca_file),
            trust_env=not _is_here(url),
        )

    async def worker(self) -> Worker:
        """Return the worker behind the gateway, judged; ``WorkerRejectedError`` if refused."""
        return await self._run(self._core.worker())

    async def ask(
        self,
        endpoint: Endpoint | str,
        predicate: JsonObject,
        *,
        credentials: Mapping[str, str] | None = None,
        provider: str | JsonObject | None = None,
        nonce: str | None = None,
        audience: str = "",
        secrets: Mapping[str, Json] | None = None,
        **extra: Json,
    ) -> Answer:
        """Return the verified answer to a question, as ``Client.ask`` does."""
        body, sealed = question_body(
            predicate,
            nonce=nonce or random.token_urlsafe(_NONCE_SIZE),
            provider=provider,
            credentials=credentials or {},
            audience=audience,
            extra=extra,
        )
        asked = self._core.ask(Endpoint(endpoint), body, {**sealed, **(secrets or {})})
        return await self._run(asked)

    async def close(self) -> None:
        """Close the connections, and end the verifier where it is this client's own."""
        await self._http.aclose()
        self._core.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def _run(self, conversation: _Conversation[_T]) -> _T:
        answer: bytes | None = None
        error: AdytonError | None = None
        while True:
            try:
                call = _next(conversation, answer, error)
            except StopIteration as stop:
                result: _T = stop.value
                return result
            answer = error = None
            try:
                answer = await self._send(call)
            except AdytonError as raised:
                error = raised

    async def _send(self, call: _Call) -> bytes:
        received = bytearray()
        try:
            async with self._http.stream(call.method, call.path, content=call.body) as response:
                _check_plain(response)
                async for chunk in response.aiter_bytes():
                    _receive(chunk, received)
        except httpx.HTTPError as error:
            raise GatewayUnavailableError(
                f"the gateway cannot be reached at {self._http.base_url}"
            ) from error
        return _body(response.status_code, bytes(received))


def _next(
    conversation: _Conversation[_T], answer: bytes | None, error: AdytonError | None
) -> _Call:
    if error is not None:
        return conversation.throw(error)
    if answer is None:
        return next(conversation)
    return conversation.send(answer)


def _headers(api_key: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {api_key}",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
    }


def _roots(ca_file: Path | None) -> ssl.SSLContext | bool:
    # True is what the library comes with.
    return True if ca_file is None else ssl.create_default_context(cafile=ca_file)


def _is_here(url: str) -> bool:
    # A proxy that the environment names cannot reach this machine's own addresses.
    return urlsplit(url).hostname in _LOOPBACK


def _url_text(data: bytes) -> str:
    # RFC 4648, section 5, without padding.
    return to_base64(data).replace("+", "-").replace("/", "_").rstrip("=")


def _now() -> datetime:
    return datetime.now(UTC)


def _json(data: bytes) -> Json:
    return loads(data, limit_bytes=MAX_RECEIPT_BYTES)


def _check_plain(response: httpx.Response) -> None:
    # A little that is compressed can be much: the limit in bytes would come too late.
    if response.headers.get("content-encoding", "identity") != "identity":
        raise GatewayUnavailableError("the gateway compressed its answer, and was asked not to")


def _receive(chunk: bytes, received: bytearray) -> None:
    received += chunk
    if len(received) > MAX_RECEIPT_BYTES:
        # The host may send what it likes: none of it fills the asker's memory.
        raise GatewayUnavailableError(f"the gateway answered more than {MAX_RECEIPT_BYTES} bytes")


def _body(status: int, received: bytes) -> bytes:
    if status == httpx.codes.OK:
        return received
    try:
        problem = _json(received)
    except MalformedError as error:
        text = f"the gateway answered with status {status}, and not as a gateway does"
        raise GatewayUnavailableError(text) from error
    fields = problem if isinstance(problem, dict) else {}
    family: type[GatewayError] = GatewayTryLaterError
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        family = GatewayRejectedError
    elif status < httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.TOO_MANY_REQUESTS:
        family = GatewayMalformedError
    code = str(fields.get("code"))
    raise family(
        status=status,
        code=code if _CODE.fullmatch(code) else "unknown",
        message=_shown(str(fields.get("detail", "no reason is given"))),
    )


def _shown(text: str) -> str:
    # The host wrote it, and somebody's terminal shows it: no control characters.
    return "".join(each if each.isprintable() else " " for each in text[:_MESSAGE_LIMIT])
