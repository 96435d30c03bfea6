"""Clients, blocking and asynchronous: ask, or have something proven, and get what was verified.

By default nothing is sealed before the worker's evidence was judged under the policy, with a fresh
challenge; what the worker gives back is verified before it is called an answer or a proof. Neither
trusts the gateway: it is on the host, and the host is the adversary.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Policy
from adyton.codec.javascript import Value
from adyton.codec.json import Json, JsonObject
from adyton.crypto.hpke import SealSuite
from adyton.model.proving import Target
from adyton.model.proving_job import ProvingJob, RegisteredCircuit
from adyton.model.question import Endpoint
from adyton.sdk.asking import Answer, ask, question_body
from adyton.sdk.circuits import register_circuit
from adyton.sdk.committing import Committed, commit
from adyton.sdk.files import Source
from adyton.sdk.local import prove_locally
from adyton.sdk.proving import Mode, Proof, Request, Watcher, prove
from adyton.sdk.session import Session, fresh_nonce
from adyton.sdk.transport import AsyncTransport, Transport
from adyton.sdk.verifying import read_policy
from adyton.sdk.worker import Worker
from adyton.verification.notary_policy import NotaryPolicy

__all__ = ["AsyncClient", "Client"]


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
        self._session = Session(policy=read_policy(policy), suite=suite, verifier=verifier)
        self._transport = Transport(url, api_key=api_key, ca_file=ca_file, transport=transport)

    def worker(self) -> Worker:
        """Return the worker behind the gateway, judged; ``WorkerRejectedError`` if refused."""
        return self._transport.run(self._session.worker())

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
            nonce=nonce or fresh_nonce(),
            provider=provider,
            credentials=credentials or {},
            audience=audience,
            extra=extra,
        )
        asked = ask(self._session, endpoint, body, {**sealed, **(secrets or {})})
        return self._transport.run(asked)

    def prove(
        self,
        job: ProvingJob,
        *,
        target: Target | str | None = None,
        mode: Mode | str = Mode.ATTESTED,
        nonce: str | None = None,
        audience: str = "",
        watch: Watcher | None = None,
    ) -> Proof:
        """Return a proof for ``job`` (see ``noir_job`` and ``chonk_job``) that was verified.

        ``attested`` judges the worker's evidence before anything is sealed, and its receipt after
        that. ``remote`` seals to whatever key the gateway shows, and warns. ``local`` proves in
        this process and talks to nobody. With ``watch``, the proof is a job at the gateway, and
        ``watch`` is told how far it is. ``target`` is ``evm``, or ``aztec`` for Aztec's steps.

        Raises what ``ask`` raises, and ``ProofRejectedError`` for a proof that does not hold.
        """
        request = Request.of(job, target=target, mode=mode, nonce=nonce, audience=audience)
        if request.mode is Mode.LOCAL:
            return prove_locally(request)
        return self._transport.run(prove(self._session, request, watch))

    def register_circuit(
        self, artifact: Source, *, target: Target | str = Target.EVM
    ) -> RegisteredCircuit:
        """Return the circuit in ``artifact``, which the worker then keeps for ``target``.

        Give it to ``noir_job``, and the program is not sent again with every proof. The gateway's
        host sees it; what is proven with it stays sealed. A worker forgets it when it ends, or has
        no room: a proof is refused then (``circuit-not-registered``).
        """
        return self._transport.run(register_circuit(artifact, target=Target(target)))

    def commit(
        self,
        digests: Sequence[bytes],
        *,
        metadata: Mapping[str, Value] | None = None,
        key: str | None = None,
        fresh: bool = False,
        policy: NotaryPolicy | Source | None = None,
    ) -> tuple[Committed, ...]:
        """Return a notary's proofs that these SHA-256 digests existed, verified.

        All of them are committed, or none; up to 256 at a time. ``metadata`` go beside, and nobody
        signs them. Asked again with the same ``key``, the notary gives the same proofs. ``fresh``
        has evidence made for each of them. ``policy`` says whose proofs you accept; without one,
        anybody's. Raises ``CommitRejectedError`` for an answer that does not hold.
        """
        asked = commit(digests, policy=policy, metadata=metadata, key=key, fresh=fresh)
        return self._transport.run(asked)

    def close(self) -> None:
        """Close the connections, and end the verifier where it is this client's own."""
        self._transport.close()
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


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
        self._session = Session(policy=read_policy(policy), suite=suite, verifier=verifier)
        self._transport = AsyncTransport(url, api_key=api_key, ca_file=ca_file, transport=transport)

    async def worker(self) -> Worker:
        """Return the worker behind the gateway, judged; ``WorkerRejectedError`` if refused."""
        return await self._transport.run(self._session.worker())

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
            nonce=nonce or fresh_nonce(),
            provider=provider,
            credentials=credentials or {},
            audience=audience,
            extra=extra,
        )
        secret = {**sealed, **(secrets or {})}
        return await self._transport.run(ask(self._session, Endpoint(endpoint), body, secret))

    async def prove(
        self,
        job: ProvingJob,
        *,
        target: Target | str | None = None,
        mode: Mode | str = Mode.ATTESTED,
        nonce: str | None = None,
        audience: str = "",
        watch: Watcher | None = None,
    ) -> Proof:
        """Return a proof for ``job`` that was verified, as ``Client.prove`` does."""
        request = Request.of(job, target=target, mode=mode, nonce=nonce, audience=audience)
        if request.mode is Mode.LOCAL:
            return await asyncio.to_thread(prove_locally, request)
        return await self._transport.run(prove(self._session, request, watch))

    async def register_circuit(
        self, artifact: Source, *, target: Target | str = Target.EVM
    ) -> RegisteredCircuit:
        """Return the circuit in ``artifact``, as ``Client.register_circuit`` does."""
        return await self._transport.run(register_circuit(artifact, target=Target(target)))

    async def commit(
        self,
        digests: Sequence[bytes],
        *,
        metadata: Mapping[str, Value] | None = None,
        key: str | None = None,
        fresh: bool = False,
        policy: NotaryPolicy | Source | None = None,
    ) -> tuple[Committed, ...]:
        """Return a notary's verified proofs of these digests, as ``Client.commit`` does."""
        asked = commit(digests, policy=policy, metadata=metadata, key=key, fresh=fresh)
        return await self._transport.run(asked)

    async def close(self) -> None:
        """Close the connections, and end the verifier where it is this client's own."""
        await self._transport.close()
        self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()
