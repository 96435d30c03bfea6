"""What the store holds, as values."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from adyton.codec.json import JsonObject
from adyton.crypto.hashing import sha256
from adyton.errors import MalformedError

__all__ = [
    "KEY_ID_LENGTH",
    "SECRET_SIZE",
    "ApiKey",
    "AuditEntry",
    "KeyLimits",
    "KeyMalformedError",
    "NewKey",
    "Presented",
    "Scope",
    "key_digest",
]

KEY_ID_LENGTH: Final = 16
SECRET_SIZE: Final = 32
_KEY: Final = re.compile(rf"adk_([0-9a-f]{{{KEY_ID_LENGTH}}})_([0-9a-f]{{{2 * SECRET_SIZE}}})")
_NAME_LIMIT: Final = 128


class Scope(StrEnum):
    """What a key may do: ask, commit, have proofs made, have receipts verified, register workers.

    ``OPERATE`` is for the operator: it takes workers out of the registry.
    """

    ASK = "ask"
    COMMIT = "commit"
    OPERATE = "operate"
    PROVE = "prove"
    REGISTER = "register"
    VERIFY = "verify"


class KeyMalformedError(MalformedError):
    """A description of a key is not one that can be stored."""

    code = "key-malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLimits:
    """A key's own limits; ``None`` leaves it to the gateway's (and a day has none there)."""

    per_minute: int | None = None
    in_flight: int | None = None
    per_day: int | None = None

    def __post_init__(self) -> None:
        """Refuse a limit that would lock its key out, or wrap around."""
        for limit in (self.per_minute, self.in_flight, self.per_day):
            if limit is not None and not 0 < limit < 2**31:
                raise KeyMalformedError("a limit is not in 1..2147483647")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is stored: the secret's digest instead of the secret."""

    id: str
    name: str
    scopes: frozenset[Scope]
    digest: bytes = field(repr=False)
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    limits: KeyLimits

    def __post_init__(self) -> None:
        """Refuse a key that nobody could tell from others, or use."""
        if not self.name or len(self.name) > _NAME_LIMIT or not self.name.isprintable():
            raise KeyMalformedError(f"a key's name has 1 to {_NAME_LIMIT} printable characters")
        if not self.scopes:
            raise KeyMalformedError("a key without a scope may do nothing")

    def is_usable(self, now: datetime) -> bool:
        """Whether the key has not been revoked and has not expired."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made, with the text that is shown once and never again."""

    key: ApiKey
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A key as a caller presents it: an identifier, and a secret that nobody has checked yet."""

    id: str
    secret: bytes = field(repr=False)

    @classmethod
    def from_text(cls, text: str) -> "Presented | None":
        """Return what ``text`` presents, or ``None`` where it is not a key of ours."""
        if (match := _KEY.fullmatch(text)) is None:
            return None
        return cls(id=match[1], secret=bytes.fromhex(match[2]))

    def to_text(self) -> str:
        """Return the key's text."""
        return f"adk_{self.id}_{self.secret.hex()}"

    def is_secret_of(self, key: ApiKey) -> bool:
        """Whether the secret is the one of ``key``."""
        return hmac.compare_digest(key_digest(self.secret), key.digest)


def key_digest(secret: bytes) -> bytes:
    """Return what is stored of a secret.

    One SHA-256 is enough, where a password would need a slow hash: the secret is 256 random bits
    that we chose, so there is nothing to guess, and a slow hash would only let callers without a
    key keep the gateway busy.
    """
    return sha256(b"adyton/api-key/v1\n" + secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What is kept of one question: RFC-0023's list (digests, public inputs, caller, times).

    ``id`` is the answer's ``X-Request-Id``. Digests are SHA-256 in hexadecimal; ``public_inputs``
    is the summary that the answer shows. A question without an answer has a ``code`` instead.
    """

    id: str
    time: datetime
    key_id: str
    endpoint: str
    status: int
    code: str = ""
    provider: str = ""
    provider_digest: str = ""
    circuit: str = ""
    answer: bool | None = None
    public_inputs: JsonObject | None = None
    proof: str = ""
    public_inputs_digest: str = ""
    statement: str = ""
    transcript: str = ""
    manifest: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
