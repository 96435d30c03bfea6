"""A manifest: what a worker is. Its evidence commits to it, and it names the key that signs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_base64,
    as_digest,
    as_integer,
    as_list,
    as_object,
    as_string,
    canonical,
    check_keys,
)
from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.model.isolation import Isolation

__all__ = ["Manifest", "Software"]

VERSION: Final = "adyton/manifest/v1"
# X25519, and ML-KEM-768 beside it: the widest key that a worker offers for sealing.
_SEALING_KEY_LIMIT: Final = 2048
_MAX_ENTRIES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """What runs in the worker: our version, and SHA-256 of files that decide an answer.

    ``prover`` and ``solver`` touch raw data; ``roots`` are the certificate authorities (PEM) that a
    data source's certificate is checked against.
    """

    version: str
    prover: bytes
    solver: bytes
    roots: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A worker's public keys, and digests of everything that decides its answers.

    ``sealing_keys`` by the name of the suite; ``circuits`` maps a name to SHA-256 of its
    verification key, ``providers`` an identifier to SHA-256 of its canonical definition.
    ``added_roots`` holds SHA-256 of each certificate (DER) that the worker trusts for data sources
    beside ``software.roots``: whoever has such a root's key can play every provider.
    ``platform`` is what the worker says vouches for it: the evidence decides whether that is true.
    """

    signing_key: bytes
    sealing_keys: Mapping[str, bytes]
    circuits: Mapping[str, bytes]
    providers: Mapping[str, bytes]
    added_roots: tuple[bytes, ...]
    software: Software
    platform: str
    isolation: Isolation
    started: int

    def to_json(self) -> JsonObject:
        """Return the form that evidence commits to."""
        return {
            "version": VERSION,
            "signing_key": to_base64(self.signing_key),
            "sealing_keys": {name: to_base64(key) for name, key in self.sealing_keys.items()},
            "circuits": {name: digest.hex() for name, digest in self.circuits.items()},
            "providers": {name: digest.hex() for name, digest in self.providers.items()},
            "added_roots": [digest.hex() for digest in self.added_roots],
            "software": {
                "version": self.software.version,
                "prover": self.software.prover.hex(),
                "solver": self.software.solver.hex(),
                "roots": self.software.roots.hex(),
            },
            "platform": self.platform,
            "isolation": self.isolation.value,
            "started": self.started,
        }

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that evidence commits to."""
        return canonical(self.to_json())

    @classmethod
    def from_json(cls, value: Json) -> "Manifest":
        """Return the manifest in ``value``, or raise ``MalformedError``."""
        record = as_object(value, "manifest")
        check_keys(record, "manifest", required=_KEYS, optional=frozenset())
        if record["version"] != VERSION:
            raise MalformedError(f'the manifest\'s version is not "{VERSION}"')
        software = as_object(record["software"], "software")
        check_keys(software, "software", required=_SOFTWARE, optional=frozenset())
        keys = as_object(record["sealing_keys"], "sealing_keys")
        try:
            isolation = Isolation(as_string(record["isolation"], "isolation", limit=16))
        except ValueError as error:
            raise MalformedError("isolation is not a level that this version knows") from error
        return cls(
            signing_key=_key(record["signing_key"], "signing_key"),
            sealing_keys={name: _key(key, "a sealing key") for name, key in keys.items()},
            circuits=_digests(record["circuits"], "circuits"),
            providers=_digests(record["providers"], "providers"),
            added_roots=tuple(
                as_digest(root, "an added root")
                for root in as_list(record["added_roots"], "added_roots", limit=_MAX_ENTRIES)
            ),
            software=Software(
                version=as_string(software["version"], "software.version", limit=64),
                prover=as_digest(software["prover"], "software.prover"),
                solver=as_digest(software["solver"], "software.solver"),
                roots=as_digest(software["roots"], "software.roots"),
            ),
            platform=as_string(record["platform"], "platform", limit=32),
            isolation=isolation,
            started=as_integer(record["started"], "started"),
        )


_KEYS: Final = frozenset(
    {
        "version",
        "signing_key",
        "sealing_keys",
        "circuits",
        "providers",
        "added_roots",
        "software",
        "platform",
        "isolation",
        "started",
    }
)
_SOFTWARE: Final = frozenset({"version", "prover", "solver", "roots"})


def _key(value: Json, where: str) -> bytes:
    return as_base64(value, where, limit_bytes=_SEALING_KEY_LIMIT)


def _digests(value: Json, where: str) -> dict[str, bytes]:
    record = as_object(value, where)
    if len(record) > _MAX_ENTRIES:
        raise MalformedError(f"{where} has more than {_MAX_ENTRIES} entries")
    return {name: as_digest(digest, f"a digest in {where}") for name, digest in record.items()}
