from datetime import UTC, datetime

import pytest
from tests.fakes.workshop import Workshop

from adyton.model.question import Question
from adyton.model.receipt import Receipt

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.of(folder=tmp_path_factory.mktemp("workshop"), clock=lambda: NOW)


@pytest.fixture(scope="session")
def question(workshop: Workshop) -> Question:
    return workshop.question(audience="a lender")


@pytest.fixture(scope="session")
def receipt(workshop: Workshop, question: Question) -> Receipt:
    """A good receipt: each test breaks one thing of it."""
    return workshop.receipt(question)
