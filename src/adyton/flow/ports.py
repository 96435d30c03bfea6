"""What the request path needs from outside, as small protocols that adapters and tests provide."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from adyton.proofs.circuit import Circuit

__all__ = [
    "Budget",
    "Exchange",
    "Http",
    "HttpRequest",
    "Platform",
    "Proof",
    "Prover",
    "Signer",
]


class HttpRequest(Protocol):
    """A request to a data source, rendered from a provider's definition."""

    @property
    def method(self) -> str:
        """GET or POST, as the definition says."""
        ...

    @property
    def host(self) -> str:
        """The name, which the certificate must bear."""
        ...

    @property
    def port(self) -> int:
        """The TCP port."""
        ...

    @property
    def target(self) -> str:
        """Path and query, percent-encoded."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values, in order, without Host and lengths."""
        ...

    @property
    def body(self) -> bytes:
        """The body, empty where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, with what a transcript is made of.

    ``certificates`` are DER as the server sent them; ``sent`` and ``received`` are SHA-256 over the
    ciphertext of each direction. Bodies and plaintexts are private data, hidden from ``repr``.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    server_name: str
    protocol: str
    cipher: str
    certificates: tuple[bytes, ...] = field(repr=False)
    plaintext_request: bytes = field(repr=False)
    plaintext_response: bytes = field(repr=False)
    sent: bytes
    received: bytes


class Http(Protocol):
    """HTTPS that ends in this process."""

    def exchange(self, request: HttpRequest, *, limit_bytes: int, timeout: float) -> Exchange:
        """Return the answer, whatever its status; raise ``UnavailableError`` if there is none."""
        ...


class Budget(Protocol):
    """How many different questions one credential may still be asked."""

    def spend(self, credential: bytes, question: bytes) -> None:
        """Count ``question`` against ``credential`` (digests, 32 bytes each) or raise."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof (field elements, 32 bytes each, big-endian) and its public inputs."""

    proof: bytes
    public_inputs: tuple[int, ...]


class Prover(Protocol):
    """The witness solver and the prover."""

    def check(self, circuit: Circuit) -> None:
        """Raise ``UnavailableError`` where ``circuit`` can't be proven on this machine."""
        ...

    def prove(self, circuit: Circuit, inputs: Mapping[int, int]) -> Proof:
        """Return a proof that ``inputs`` (by witness index) satisfy ``circuit``.

        Raises ``UnavailableError`` when there is no proof to be had.
        """
        ...


class Platform(Protocol):
    """The hardware that vouches for this process."""

    async def evidence(
        self, report_data: bytes, challenge: bytes | None, public_key: bytes
    ) -> bytes:
        """Return evidence over ``report_data``; raise ``UnavailableError`` if it has none."""
        ...


class Signer(Protocol):
    """The worker's signing key."""

    def sign(self, domain: str, message: bytes) -> bytes:
        """Return the signature of ``message`` for the use ``domain``."""
        ...
