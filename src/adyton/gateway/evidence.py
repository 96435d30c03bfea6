"""The paths of evidence that somebody wants verified: the verdict is the answer, whatever it is."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.attestation_results import attestation_result, result_signer
from adyton.adapters.store.records import Scope
from adyton.codec.json import JsonObject, as_list, as_object, as_string, check_keys, loads
from adyton.codec.text import from_base64
from adyton.errors import MalformedError
from adyton.evidence.collateral import MAX_COLLATERAL_VALUES, NO_COLLATERAL, Collateral
from adyton.evidence.nvidia.serialized import MAX_DEVICES
from adyton.gateway.door import Door
from adyton.gateway.exchange import json_response, read_body, while_caller_waits
from adyton.gateway.ports import Appraiser, Clock
from adyton.gateway.routes import Operation, Route
from adyton.gateway.schemas import Absent, Base64, Document, VerdictDocument
from adyton.verification.bundle import MAX_EVIDENCE_BYTES, VERSION, Bundle
from adyton.verification.machine import Device, devices_of

__all__ = ["BODY_BYTES", "EvidenceVerifications"]

BODY_BYTES: Final = 2 * 1024 * 1024
_REQUIRED: Final = frozenset({"evidence", "policy"})
_OPTIONAL: Final = frozenset({"collateral", "expected", "at"})
_BESIDE: Final = frozenset({"devices", "device_collateral", "ear"})


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
class _Asked:
    """A request: what its verdict depends on, the devices, and in which forms it is answered."""

    bundle: Bundle
    devices: tuple[Device, ...]
    wants_ear: bool


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
        2. the body has evidence and a policy, in time and within its limit;
        3. there is a place for it;
        4. the verdict is for the instant that the caller names, or for now; a signed result is
           for now alone.
        """
        # Step 1
        key = await self.door.admit(request, Scope.VERIFY)
        # Step 2
        asked = _read(await read_body(request, limit_bytes=BODY_BYTES), now=self.clock())
        # Step 3
        with self.door.limiter.place(key):
            # Step 4
            answer = await while_caller_waits(
                request, self._machine(asked) if asked.devices else self._evidence(asked)
            )
        return json_response(answer)

    async def keys(self, _request: Request) -> Response:
        """Return the keys that sign attestation results."""
        signer = await asyncio.to_thread(result_signer, self.folder)
        return json_response({"keys": [signer.public_jwk]})

    async def _evidence(self, asked: _Asked) -> JsonObject:
        bundle = asked.bundle
        verdict, claims = await self.appraiser.evidence(
            bundle.evidence,
            collateral=bundle.collateral,
            policy=bundle.policy,
            expected=bundle.expected,
            at=bundle.at,
        )
        said = None if claims is None else claims.to_json()
        answer: JsonObject = {**verdict.to_json(), "claims": said}
        if not asked.wants_ear:
            return answer
        signer = await asyncio.to_thread(result_signer, self.folder)
        return {**answer, "ear": attestation_result(bundle, verdict, claims, signer=signer)}

    async def _machine(self, asked: _Asked) -> JsonObject:
        bundle = asked.bundle
        found = await self.appraiser.machine(
            bundle.evidence,
            devices=asked.devices,
            collateral=bundle.collateral,
            policy=bundle.policy,
            expected=bundle.expected,
            at=bundle.at,
        )
        return found.to_json()


def _read(body: bytes, *, now: datetime) -> _Asked:
    """Return what ``body`` asks; the missing parts of its bundle are nothing, and now."""
    value = loads(body, limit_bytes=BODY_BYTES, limit_values=MAX_COLLATERAL_VALUES)
    record = as_object(value, "the request")
    check_keys(record, "the request", required=_REQUIRED, optional=_OPTIONAL | _BESIDE)
    missing: JsonObject = {
        "version": VERSION,
        "collateral": NO_COLLATERAL.to_json(),
        "expected": {},
        "at": now.astimezone(UTC).isoformat(),
    }
    given = {name: item for name, item in record.items() if name not in _BESIDE}
    bundle = Bundle.from_json({**missing, **given})
    return _Asked(
        bundle=bundle,
        devices=_devices(record, otherwise=bundle.collateral),
        wants_ear=_wants_ear(record),
    )


def _devices(record: JsonObject, *, otherwise: Collateral) -> tuple[Device, ...]:
    if "devices" not in record:
        if "device_collateral" in record:
            raise MalformedError("there is device_collateral, and there are no devices")
        return ()
    files = [
        from_base64(
            as_string(item, "a device", limit=2 * MAX_EVIDENCE_BYTES),
            "a device",
            limit_bytes=MAX_EVIDENCE_BYTES,
        )
        for item in as_list(record["devices"], "devices", limit=MAX_DEVICES)
    ]
    if "device_collateral" not in record:
        return devices_of(files, collateral=[otherwise])
    beside = as_list(record["device_collateral"], "device_collateral", limit=MAX_DEVICES)
    return devices_of(files, collateral=[Collateral.from_json(item) for item in beside])


def _wants_ear(record: JsonObject) -> bool:
    wanted = record.get("ear", False)
    if not isinstance(wanted, bool):
        raise MalformedError("ear is not true or false")
    # A result speaks for its instant: for one that the caller chose, it would say today what nobody
    # knows yet, or what was known otherwise at the time.
    if wanted and ("at" in record or "devices" in record):
        raise MalformedError("an attestation result is for now, and for evidence without devices")
    return wanted
