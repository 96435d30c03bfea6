import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.hostile import CREDENTIALS, GTE, Attacker, Network
from tests.integration.flow.machinery import reference_string

from adyton.adapters.installation import find_installation
from adyton.cli.local import LocalStack
from adyton.sandbox.vendors import VENDORS
from adyton.sdk.client import Client


@pytest.fixture(scope="session", autouse=True)
def machine() -> Iterator[None]:
    """Skip where this machine cannot prove, and say why."""
    installation = find_installation(os.environ, home=Path.home())
    if installation.bb is None or installation.solver is None:
        pytest.skip("the prover or the witness solver is not installed; run npm ci")
    with pytest.MonkeyPatch.context() as patch:
        # Processes that are started find it by this.
        patch.setenv("CRS_PATH", str(reference_string()))
        yield


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.close()


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a provider that does not wait long."""
    folder = tmp_path_factory.mktemp("providers")
    text = (Path(__file__).parents[2] / "providers" / "plaid-balance.yaml").read_text()
    hasty = text.replace("id: plaid-balance", "id: hasty").replace(
        "timeout_seconds: 30", "timeout_seconds: 2"
    )
    (folder / "hasty.yaml").write_text(hasty)
    return folder


@pytest.fixture(scope="session")
def whole_stack(network: Network, providers: Path) -> Iterator[LocalStack]:
    """Sandbox, worker and gateway, with a network between that a test may disturb."""
    hosts = [vendor.host for vendor in VENDORS]
    with LocalStack(
        ADYTON_BUDGET="1000000",
        ADYTON_PROVIDERS=str(providers),
        ADYTON_EGRESS_OVERRIDE=",".join(f"{host}=127.0.0.1:{network.port}" for host in hosts),
    ) as stack:
        network.target = stack._ports["sandbox"]
        yield stack


@pytest.fixture
def stack(whole_stack: LocalStack, network: Network) -> Iterator[LocalStack]:
    yield whole_stack
    network.be_honest()


@pytest.fixture(scope="session")
def client(whole_stack: LocalStack) -> Iterator[Client]:
    with Client(whole_stack.url, api_key=whole_stack.api_key, policy=whole_stack.policy) as client:
        yield client


@pytest.fixture
def attacker(stack: LocalStack, client: Client) -> Attacker:
    key = client.worker().manifest.sealing_keys["x25519"]
    return Attacker(stack.state / "worker.sock", key)


@pytest.fixture(scope="module")
def is_whole(client: Client, network: Network) -> Iterator[None]:
    """After the module's tests, the next question is answered: nothing was lost."""
    yield
    network.be_honest()
    assert client.ask("balance", GTE, credentials=CREDENTIALS).answer is True
