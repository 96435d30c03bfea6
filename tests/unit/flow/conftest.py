from datetime import UTC, datetime

import pytest
from tests.fakes.workshop import Workshop

NOW = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.of(folder=tmp_path_factory.mktemp("workshop"), clock=lambda: NOW)
