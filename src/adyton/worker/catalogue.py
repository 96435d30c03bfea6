"""What a worker can be asked, as its gateway shows it to callers. Nothing in it is secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from adyton.codec.json import JsonObject
from adyton.codec.text import to_base64
from adyton.codec.url import read_url
from adyton.proofs.circuit import Circuit
from adyton.sources import ProviderDefinition

__all__ = ["Catalogue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Providers and circuits, each with the digest by which manifests and policies name it."""

    providers: tuple[JsonObject, ...]
    circuits: tuple[JsonObject, ...]

    @classmethod
    def of(
        cls, providers: Mapping[str, ProviderDefinition], circuits: Mapping[str, Circuit]
    ) -> Self:
        """Return the catalogue of a worker that has these."""
        return cls(
            providers=tuple(_provider(item) for item in providers.values()),
            circuits=tuple(_circuit(item) for item in circuits.values()),
        )


def _provider(definition: ProviderDefinition) -> JsonObject:
    return {
        "id": definition.id,
        "name": definition.name,
        "source": definition.source,
        "endpoint": definition.endpoint.value,
        "circuit": definition.noir_circuit,
        "digest": definition.digest().hex(),
        "credentials": [item.to_json() for item in definition.request.credentials],
        "predicates": [item.to_json() for item in definition.predicates],
        "hosts": [*_hosts(definition)],
    }


def _hosts(definition: ProviderDefinition) -> list[str]:
    url = definition.request.url
    if url.startswith("{{"):
        # Each question names its own: the operator decides which of them may be reached.
        return []
    place = read_url(url.split("{{")[0])
    return [f"{place.host}:{place.port}"]


def _circuit(circuit: Circuit) -> JsonObject:
    return {
        "name": circuit.name,
        "digest": circuit.key_digest.hex(),
        "verification_key": to_base64(circuit.verification_key),
        "public_inputs": [*circuit.abi.public_labels(), "commitment", "result"],
    }
