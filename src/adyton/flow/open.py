"""Step ``open``: unseal what came with a question, and find the provider that it is put to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from adyton.codec.json import (
    Json,
    as_integer,
    as_object,
    as_string,
    canonical,
    check_keys,
    loads,
)
from adyton.crypto.hashing import prefixed, sha256
from adyton.crypto.hpke import OpeningKey
from adyton.errors import MalformedError, RejectedError
from adyton.flow.stages import Opened
from adyton.model.question import (
    MAX_BOX_BYTES,
    SEALED_MARK,
    TOKEN_LOCATION,
    Endpoint,
    Question,
    UnsealedCredentialError,
    member_location,
    seal_info,
)
from adyton.model.sealing import check_age
from adyton.sources import ProviderDefinition, complete, inline

__all__ = ["MAX_AGE", "ProviderUnknownError", "open_sealed"]

MAX_AGE: Final = timedelta(minutes=5)
# The one credential that is for a circuit (account_ownership), not for the provider.
_SALT: Final = "salt"
_OWNERSHIP: Final = "account_ownership"


class ProviderUnknownError(RejectedError):
    """No such provider, or one that answers at another endpoint."""

    code = "provider-unknown"

    def __init__(self, *, provider: str, reason: str) -> None:
        super().__init__(f"the provider {provider[:64]!r} {reason}")
        self.provider = provider


def open_sealed(
    question: Question,
    *,
    opener: OpeningKey,
    providers: Mapping[str, ProviderDefinition],
    now: datetime,
) -> Opened:
    """Return ``question`` opened.

    1. Each sealed value opens with this worker's key, for this question and for its place in it.
    2. It was sealed not long ago, and not in the future.
    3. The provider is one of ``providers`` and answers at this endpoint, or came with the question.
    4. What the definition wants sealed came sealed.

    Not established: that no value was sent before (``worker.replay`` saw to that). Raises
    ``MalformedError`` or ``RejectedError``.
    """
    revealed: dict[str, Json] = {}
    for item in question.sealed:
        # Step 1
        plaintext = opener.open(item.box, info=seal_info(item.location, question.bound))
        # Step 2
        revealed[item.location] = _fresh_value(plaintext, now)
    # Step 3
    definition, digest, places = _definition(question, providers)
    # Step 4
    credentials = _credentials(question, definition, places, revealed)
    salt = credentials.pop(_SALT, None) if definition.noir_circuit == _OWNERSHIP else None
    return Opened(
        question=question,
        definition=definition,
        provider_digest=digest,
        credentials=credentials,
        salt=salt,
        subject=_subject(definition, credentials),
        time=now,
    )


def _fresh_value(plaintext: bytes, now: datetime) -> Json:
    record = as_object(loads(plaintext, limit_bytes=MAX_BOX_BYTES), "a sealed value")
    check_keys(
        record, "a sealed value", required=frozenset({"issued_at", "value"}), optional=frozenset()
    )
    issued_at = as_integer(record["issued_at"], "issued_at")
    check_age(issued_at, what="a value", maximum=MAX_AGE, now=now)
    return record["value"]


def _definition(
    question: Question, providers: Mapping[str, ProviderDefinition]
) -> tuple[ProviderDefinition, bytes, Mapping[str, str]]:
    """Return the definition, its digest, and where its credentials are if it came with them."""
    extraction, predicate = question.extraction, question.predicate
    if not isinstance(question.provider, str):
        brought = inline(question.provider, extraction=extraction, predicate=predicate)
        return brought.definition, brought.definition.digest(), brought.places
    name = question.provider
    if name not in providers:
        raise ProviderUnknownError(provider=name, reason="is not one of this worker's")
    definition = providers[name]
    if question.endpoint not in (definition.endpoint, Endpoint.CUSTOM):
        raise ProviderUnknownError(
            provider=name, reason=f"answers at {definition.endpoint}, not at {question.endpoint}"
        )
    if definition.is_open:
        completed = complete(definition, extraction=extraction, predicate=predicate)
        return completed, definition.digest(), {}
    if extraction is not None:
        raise MalformedError(f"the provider {name!r} knows what to extract; the question must not")
    return definition, definition.digest(), {}


def _credentials(
    question: Question,
    definition: ProviderDefinition,
    places: Mapping[str, str],
    revealed: Mapping[str, Json],
) -> dict[str, str]:
    """Return every credential by name, each from one place."""
    left = dict(revealed)
    found: dict[str, str] = {}
    for name, place in places.items():
        found[name] = as_string(left.pop(place, None), place, limit=MAX_BOX_BYTES)
    if TOKEN_LOCATION in left:
        found.update(_token(left.pop(TOKEN_LOCATION), definition))
    wants_seal = {item.name for item in definition.request.credentials if item.encrypted}
    for name, value in question.credentials.items():
        if name in found:
            raise MalformedError(f"the credential {name[:64]!r} is given twice")
        if value == SEALED_MARK:
            place = member_location("/credentials", name)
            found[name] = as_string(left.pop(place, None), place, limit=MAX_BOX_BYTES)
        elif value is not None:
            if name in wants_seal:
                raise UnsealedCredentialError(name=name)
            found[name] = as_string(value, "a credential", limit=MAX_BOX_BYTES)
    if left:
        raise MalformedError(f"a sealed value stands at {min(left)[:128]}, where none is read")
    return found


def _token(value: Json, definition: ProviderDefinition) -> dict[str, str]:
    """Return the credentials in RFC-0023's one token: itself, or several by name."""
    if isinstance(value, dict):
        return {
            name: as_string(item, "a credential", limit=MAX_BOX_BYTES)
            for name, item in value.items()
        }
    for item in definition.request.credentials:
        if item.encrypted:
            return {item.name: as_string(value, "the token", limit=MAX_BOX_BYTES)}
    raise MalformedError(f"the provider {definition.id!r} takes no sealed credential")


def _subject(definition: ProviderDefinition, credentials: Mapping[str, str]) -> bytes | None:
    # Only what must come sealed: a header or an id that anybody may vary is no other subject.
    sealed = sorted(item.name for item in definition.request.credentials if item.encrypted)
    parts = [canonical([name, credentials[name]]) for name in sealed if name in credentials]
    if not parts:
        return None
    return sha256(prefixed(b"adyton/subject/v1", definition.source.encode(), *parts))
