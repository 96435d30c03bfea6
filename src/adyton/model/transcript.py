"""The public part of a recorded TLS session: what a statement says of where its data came from.

TLS gives no non-repudiation: whoever holds the session keys can write any transcript. This one is
worth what the evidence of the worker that recorded it is worth, and names what can be compared.
"""

from dataclasses import dataclass

from adyton.codec.json import Json, JsonObject, as_digest, as_object, as_string, check_keys

__all__ = ["Transcript"]

_DIGESTS = (
    "certificate_chain",
    "request_commitment",
    "response_commitment",
    "sent",
    "received",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One request and its answer.

    ``certificate_chain`` is SHA-256 over the length-prefixed DER certificates as the server sent
    them; ``sent`` and ``received`` are SHA-256 over the ciphertext in each direction;
    the commitments are SHA-256 over a 32-byte salt and the plaintext: without the salt, a token or
    a balance could be guessed from its digest.
    """

    server_name: str
    protocol: str
    cipher: str
    certificate_chain: bytes
    request_commitment: bytes
    response_commitment: bytes
    sent: bytes
    received: bytes

    def to_json(self) -> JsonObject:
        """Return the form that a statement holds."""
        return {
            "server_name": self.server_name,
            "protocol": self.protocol,
            "cipher": self.cipher,
            "certificate_chain": self.certificate_chain.hex(),
            "request_commitment": self.request_commitment.hex(),
            "response_commitment": self.response_commitment.hex(),
            "sent": self.sent.hex(),
            "received": self.received.hex(),
        }

    @classmethod
    def from_json(cls, value: Json) -> "Transcript":
        """Return the transcript that a statement holds, or raise ``MalformedError``."""
        record = as_object(value, "transcript")
        texts = ("server_name", "protocol", "cipher")
        check_keys(
            record, "transcript", required=frozenset((*texts, *_DIGESTS)), optional=frozenset()
        )
        digests = {name: as_digest(record[name], name) for name in _DIGESTS}
        return cls(
            server_name=as_string(record["server_name"], "server_name", limit=255),
            protocol=as_string(record["protocol"], "protocol", limit=16),
            cipher=as_string(record["cipher"], "cipher", limit=64),
            **digests,
        )
