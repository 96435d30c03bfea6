from collections.abc import Iterator

import pytest
from tests.fakes.workshop import Workshop
from tests.integration.flow.machinery import ThreadedSandbox, running_sandbox, running_workshop

from adyton.adapters.verifier import OfflineVerifier


@pytest.fixture(scope="session")
def sandbox() -> Iterator[ThreadedSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def workshop(
    sandbox: ThreadedSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    with running_workshop(sandbox, tmp_path_factory.mktemp("workshop")) as workshop:
        yield workshop


@pytest.fixture(scope="session")
def verifier() -> Iterator[OfflineVerifier]:
    with OfflineVerifier() as verifier:
        yield verifier
