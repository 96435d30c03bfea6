"""What a worker answers to its gateway, call by call.

The gateway is on the host: what it sends is a stranger's. Everything that touches plaintext happens
in a cell; here are the guards before it, and the signature after it.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adyton.adapters.frames import Fields
from adyton.adapters.link import Emit
from adyton.adapters.linked_errors import error_fields, linked_error
from adyton.adapters.platforms import PlatformName
from adyton.codec.json import canonical, loads
from adyton.crypto.hashing import sha256
from adyton.errors import AdytonError, MalformedError, UnavailableError
from adyton.evidence.nitro.layout import Document
from adyton.flow.pipeline import certify
from adyton.flow.stages import Proven
from adyton.model.ports import Clock
from adyton.model.question import Endpoint, Question
from adyton.model.receipt import MAX_RECEIPT_BYTES
from adyton.model.statement import Statement
from adyton.worker.budget import DisclosureBudget
from adyton.worker.catalogue import Catalogue
from adyton.worker.cells import Cells
from adyton.worker.channel import QUESTION
from adyton.worker.delegations import Delegations
from adyton.worker.enrolment import Enrolment
from adyton.worker.identity import Attester, Keys, check_challenge
from adyton.worker.openpgp import OpenPgpIdentity
from adyton.worker.replay import ReplayGuard

__all__ = ["CallUnknownError", "CellAnswerError", "Service"]


class CallUnknownError(MalformedError):
    """A call that no worker of this version answers."""

    code = "call-unknown"


class CellAnswerError(UnavailableError):
    """A cell handed back something else than an answer to the question that it was given."""

    code = "cell-answer-refused"

    def __init__(self) -> None:
        super().__init__("the process that worked on this request gave back something else")


class Service:
    """Answers calls."""

    def __init__(
        self,
        *,
        keys: Keys,
        attester: Attester,
        cells: Cells,
        replay: ReplayGuard,
        budget: DisclosureBudget,
        catalogue: Catalogue,
        delegations: Delegations,
        openpgp: OpenPgpIdentity,
        clock: Clock,
    ) -> None:
        self._keys, self._attester, self._cells = keys, attester, cells
        self._replay, self._budget = replay, budget
        self._catalogue, self._delegations, self._clock = catalogue, delegations, clock
        self._openpgp = openpgp
        self._enrolment = Enrolment(attester=attester, signer=keys.signing, clock=clock)
        self._manifest = attester.manifest.to_bytes()
        self._opening_key = keys.opening.to_bytes()

    async def handle(self, call: str, fields: Fields, emit: Emit) -> Mapping[str, Any]:
        """Return the answer to ``call``, or raise an ``AdytonError``."""
        match call:
            case "ask":
                answer = await self._ask(fields)
            case "prove":
                sealed, challenge = _bytes(fields, "sealed"), _bytes(fields, "challenge")
                answer = await self._delegations.prove(sealed, challenge, emit)
            case "openpgp-prove":
                message = _bytes(fields, "message")
                answer = await self._delegations.prove_message(message, self._openpgp.secret, emit)
            case "register-circuit":
                bytecode, target = _bytes(fields, "bytecode"), fields.get("target")
                answer = await self._delegations.register(bytecode, str(target))
            case "apply":
                challenge, endpoint = _bytes(fields, "challenge"), fields.get("endpoint")
                answer = {"application": await self._enrolment.apply(challenge, endpoint)}
            case "beat":
                answer = {"heartbeat": self._enrolment.beat(fields.get("state"))}
            case "attest":
                answer = {"evidence": await self._attester.attest(_bytes(fields, "challenge"))}
            case _:
                answer = await self._about(call)
        return answer

    async def _about(self, call: str) -> Mapping[str, Any]:
        match call:
            case "describe":
                return await self._describe()
            case "openpgp-key":
                return await self._openpgp.describe()
            case "providers":
                return {"providers": list(self._catalogue.providers)}
            case "circuits":
                return {"circuits": list(self._catalogue.circuits)}
            case "health":
                counts = self._cells.counts
                return {
                    "ready": True,
                    "cells": counts,
                    "queue": counts["waiting"],
                    "proofs": dict(self._delegations.counts),
                }
            case _:
                raise CallUnknownError(f"a worker has no call {call[:32]!r}")

    async def _describe(self) -> Mapping[str, Any]:
        evidence = await self._attester.attest(b"")
        # An enclave of SGX has no registers, but its measurement.
        is_quote = self._attester.manifest.platform == PlatformName.SGX
        registers = {} if is_quote else Document.from_bytes(evidence).pcrs
        return {
            "manifest": self._manifest,
            "evidence": evidence,
            "platform": self._attester.manifest.platform,
            "pcrs": {f"pcr{index}": register for index, register in registers.items()},
        }

    async def _ask(self, fields: Fields) -> Mapping[str, Any]:
        """Return the receipt for a question.

        1. The question is well formed, for everybody who reads it.
        2. None of its sealed values was here before.
        3. A cell answers it, and what comes back is about this question and this worker.
        4. The worker signs, and its platform vouches for it.
        """
        # Step 1
        body, challenge = _bytes(fields, "body"), _bytes(fields, "challenge")
        check_challenge(challenge)
        question = Question.from_bytes(_endpoint(fields), body)
        # Step 2
        self._replay.admit([item.box for item in question.sealed], now=self._clock())
        # Step 3
        job = {
            "kind": QUESTION,
            "endpoint": question.endpoint.value,
            "body": body,
            "manifest": sha256(self._manifest),
            "key": self._opening_key,
        }
        asked = self._clock()
        result = await self._cells.run(job, self._reply)
        if not result["done"]:
            raise linked_error(result["error"])
        proven = self._proven(result, question, asked)
        # Step 4
        start = time.perf_counter()
        receipt = await certify(
            proven,
            manifest=self._attester.manifest,
            challenge=challenge,
            platform=self._attester,
            signer=self._keys.signing,
        )
        answer = canonical(receipt.to_json())
        certified = (time.perf_counter() - start) * 1000
        return {"answer": answer, "timings": {**result["timings"], "certify": certified}}

    async def _reply(self, message: Fields) -> Fields:
        spend = message["spend"]
        try:
            self._budget.spend(spend["credential"], spend["question"], now=self._clock())
        except AdytonError as error:
            return {"error": error_fields(error)}
        return {}

    def _proven(self, result: Fields, question: Question, asked: datetime) -> Proven:
        # A cell has read a stranger's data. Whatever became of it, it speaks for its own question.
        try:
            statement = Statement.from_json(
                loads(result["statement"], limit_bytes=MAX_RECEIPT_BYTES)
            )
        except MalformedError as error:
            raise CellAnswerError from error
        sealed = {item.location: sha256(item.box) for item in question.sealed}
        about = (statement.question.bound, statement.sealed, statement.manifest)
        if about != (question.bound, sealed, sha256(self._manifest)):
            raise CellAnswerError
        # It took the time, and the circuit, from where this process would take them.
        if not int(asked.timestamp()) <= statement.time <= self._clock().timestamp() or (
            self._attester.manifest.circuits.get(statement.circuit) != statement.verification_key
        ):
            raise CellAnswerError
        return Proven(
            statement=statement,
            proof=result["proof"],
            public_inputs=tuple(int.from_bytes(item, "big") for item in result["public_inputs"]),
            verification_key=result["verification_key"],
        )


def _endpoint(fields: Fields) -> Endpoint:
    try:
        return Endpoint(fields.get("endpoint", ""))
    except ValueError as error:
        raise MalformedError("endpoint is not one of RFC-0023's") from error


def _bytes(fields: Fields, name: str) -> bytes:
    value = fields.get(name, b"")
    if not isinstance(value, bytes):
        raise MalformedError(f"{name} is not bytes")
    return value
