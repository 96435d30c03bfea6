"""The guards of the worker around its cells."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from tests.fakes.workshop import CREDENTIALS, GTE, Workshop, circuits, providers

from adyton.adapters.frames import Fields
from adyton.crypto.hashing import sha256
from adyton.crypto.hpke import SealSuite
from adyton.model.question import Endpoint, Question
from adyton.model.receipt import Receipt
from adyton.sdk.asking import question_body
from adyton.sdk.sealing import sealed_question
from adyton.worker.budget import DisclosureBudget
from adyton.worker.catalogue import Catalogue
from adyton.worker.cells import Cells
from adyton.worker.delegations import Delegations
from adyton.worker.identity import Attester, Keys
from adyton.worker.openpgp import OpenPgpIdentity
from adyton.worker.replay import ReplayGuard
from adyton.worker.service import CellAnswerError, Service

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.of(folder=tmp_path_factory.mktemp("workshop"), clock=lambda: NOW)


class OneCell:
    """A cell that answers honestly, but for ``changes`` of its statement."""

    def __init__(self, workshop: Workshop, changes: Mapping[str, Any]) -> None:
        self.workshop, self.changes = workshop, changes

    async def run(self, job: Fields, _reply: Callable[[Fields], Awaitable[Fields]]) -> Fields:
        question = Question.from_bytes(Endpoint(job["endpoint"]), job["body"])
        proven = self.workshop.derive(question)
        return {
            "done": True,
            "statement": replace(proven.statement, **self.changes).to_bytes(),
            "proof": proven.proof,
            "public_inputs": [item.to_bytes(32) for item in proven.public_inputs],
            "verification_key": proven.verification_key,
            "timings": {},
        }


async def answer(workshop: Workshop, **changes: Any) -> Receipt:
    service = Service(
        keys=Keys(opening=workshop.opening, signing=workshop.signing),
        attester=Attester(
            manifest=workshop.manifest, platform=workshop.platform, clock=lambda: NOW
        ),
        cells=cast("Cells", OneCell(workshop, changes)),
        replay=ReplayGuard(lifetime=HOUR, limit=100),
        budget=DisclosureBudget(limit=10, window=HOUR, credentials=10),
        catalogue=Catalogue.of(providers(), circuits()),
        # No question comes near it.
        delegations=cast("Delegations", None),
        openpgp=cast("OpenPgpIdentity", None),
        clock=lambda: NOW,
    )
    body, sealed = question_body(
        GTE, nonce="n", provider=None, credentials=CREDENTIALS, audience="", extra={}
    )
    _, sent = sealed_question(
        Endpoint.BALANCE,
        body,
        secrets=sealed,
        public_key=workshop.opening.public[SealSuite.X25519],
        suite=SealSuite.X25519,
        now=NOW,
    )
    fields = {"endpoint": "balance", "body": json.dumps(sent).encode(), "challenge": b""}
    answered = await service.handle("ask", fields, lambda _event: None)
    return Receipt.from_bytes(answered["answer"])


async def test_a_cell_s_answer_to_its_question_is_signed(workshop: Workshop) -> None:
    receipt = await answer(workshop)
    assert receipt.statement.manifest == sha256(workshop.manifest.to_bytes())


@pytest.mark.parametrize(
    "changes",
    [
        {"manifest": bytes(32)},
        {"sealed": {}},
        {"sealed": {"/encrypted_access_token": bytes(32)}},
    ],
    ids=["another worker", "no sealed value", "another sealed value"],
)
async def test_a_cell_speaks_for_its_own_question_and_its_own_sealed_values_only(
    workshop: Workshop, changes: Mapping[str, Any]
) -> None:
    with pytest.raises(CellAnswerError):
        await answer(workshop, **changes)
