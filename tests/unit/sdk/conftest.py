from datetime import UTC, datetime

import pytest
from tests.fakes.workshop import Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    # The client reads the clock: what it is given has to be of now.
    return Workshop.of(folder=tmp_path_factory.mktemp("workshop"), clock=lambda: datetime.now(UTC))
