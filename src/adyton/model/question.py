"""A question: what is asked of which provider, in RFC-0023's shapes, with what is sealed apart.

One reader serves the gateway (which refuses early), the worker (which trusts no gateway) and the
verifier (which reads the question back from a statement). Sealed values are opaque here. What is
left when each of them is replaced by ``encrypted:`` is the *bound* form: it is in the HPKE ``info``
of every sealed value, so that nobody can change the question under a credential, and it is what a
statement repeats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adyton.codec.json import (
    Json,
    JsonObject,
    as_integer,
    as_object,
    as_string,
    canonical,
    check_keys,
    loads,
)
from adyton.codec.text import from_base64
from adyton.errors import MalformedError, RejectedError

__all__ = [
    "DEFAULT_PROVIDERS",
    "MAX_BOX_BYTES",
    "MAX_QUESTION_BYTES",
    "MAX_SEALED",
    "PROOF_SYSTEM",
    "SEALED_MARK",
    "TOKEN_LOCATION",
    "Endpoint",
    "ProofSystemRejectedError",
    "Question",
    "Sealed",
    "UnsealedCredentialError",
    "member_location",
    "seal_info",
]

PROOF_SYSTEM: Final = "noir-ultrahonk"
SEALED_MARK: Final = "encrypted:"
MAX_QUESTION_BYTES: Final = 256 * 1024
MAX_BOX_BYTES: Final = 64 * 1024
MAX_CREDENTIALS: Final = 32
MAX_SEALED: Final = 32

_SEAL_DOMAIN: Final = b"adyton/seal/v1"
_TOKEN_FIELD: Final = "encrypted_access_token"  # noqa: S105  # RFC-0023's name, not a password
TOKEN_LOCATION: Final = f"/{_TOKEN_FIELD}"
_NONCE_LIMIT: Final = 256


class ProofSystemRejectedError(MalformedError):
    """The question asks for a proof system that is not here."""

    code = "proof-system-unavailable"

    def __init__(self) -> None:
        super().__init__(f'the proof system is not available; available is "{PROOF_SYSTEM}"')


class UnsealedCredentialError(RejectedError):
    """A credential that must be sealed came in the clear: it is burnt, and the host has seen it."""

    code = "credential-not-sealed"

    def __init__(self, *, name: str) -> None:
        super().__init__(f"the credential {name[:64]!r} must be sealed to the worker")
        self.name = name


class Endpoint(StrEnum):
    """The questions of RFC-0023, by the last part of their path."""

    BALANCE = "balance"
    INCOME = "income"
    EMPLOYMENT = "employment"
    EDUCATION = "education"
    CREDIT = "credit"
    TRANSACTIONS = "transactions"
    CUSTOM = "custom"


# The provider that answers where a question names none, which RFC-0023's examples never do.
DEFAULT_PROVIDERS: Final[Mapping[Endpoint, str]] = {
    Endpoint.BALANCE: "plaid-balance",
    Endpoint.INCOME: "plaid-income",
    Endpoint.EMPLOYMENT: "linkedin-employment",
    Endpoint.EDUCATION: "clearinghouse-education",
    Endpoint.CREDIT: "experian-credit",
    Endpoint.TRANSACTIONS: "plaid-transactions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One sealed value: where it stands in the question (a JSON pointer), and its box."""

    location: str
    box: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question in one of RFC-0023's shapes, well formed.

    ``request`` is the bound form of the body, ``bound`` its canonical bytes with the endpoint, and
    ``sealed`` what was taken out of it. ``provider`` is an identifier, or an inline definition.
    """

    endpoint: Endpoint
    request: JsonObject
    bound: bytes
    sealed: tuple[Sealed, ...]
    nonce: str
    audience: str
    predicate: JsonObject
    provider: str | JsonObject
    credentials: Mapping[str, Json]
    extraction: JsonObject | None
    months: int | None

    @classmethod
    def from_bytes(cls, endpoint: Endpoint, body: bytes) -> "Question":
        """Return the question in an HTTP body, with its boxes, or raise ``MalformedError``."""
        question = cls.from_json(endpoint, loads(body, limit_bytes=MAX_QUESTION_BYTES))
        for item in question.sealed:
            # Refused here, nobody's empty box is taken for the replay of somebody else's.
            if not item.box:
                raise MalformedError(f"the sealed value at {item.location[:128]} is empty")
        return question

    @classmethod
    def from_json(cls, endpoint: Endpoint, body: Json) -> "Question":
        """Return the question in a JSON body, or raise ``MalformedError``.

        Who seals starts from a body with a mark and no box where a sealed value will be.
        """
        sealed: list[Sealed] = []
        request = as_object(_take_sealed(body, "", sealed), "the question")
        if len(sealed) > MAX_SEALED:
            raise MalformedError(f"the question has more than {MAX_SEALED} sealed values")
        return _read(endpoint, request, tuple(sealed))

    @classmethod
    def from_statement(cls, value: Json) -> "Question":
        """Return the question that a statement repeats: the bound form, with the boxes gone."""
        record = as_object(value, "question")
        check_keys(
            record, "question", required=frozenset({"endpoint", "request"}), optional=frozenset()
        )
        request = as_object(record["request"], "question.request")
        try:
            return _read(_endpoint(record["endpoint"]), request, ())
        except UnsealedCredentialError as error:
            # Of a question it is a refusal; a worker writes no such statement.
            raise MalformedError(f"question.request: {error}") from error

    def to_statement(self) -> JsonObject:
        """Return what a statement repeats of this question."""
        return {"endpoint": self.endpoint.value, "request": self.request}


def member_location(location: str, key: str) -> str:
    """Return where the member ``key`` of the object at ``location`` is: RFC 6901, section 3.

    What is sealed is bound to it, so that asker and worker have to write it alike.
    """
    return f"{location}/{key.replace('~', '~0').replace('/', '~1')}"


def seal_info(location: str, bound: bytes) -> bytes:
    """Return the HPKE ``info`` for the value at ``location`` of the question ``bound``.

    The location keeps a host from swapping two sealed values of one question.
    """
    parts = (_SEAL_DOMAIN, location.encode(), bound)
    return b"".join(len(part).to_bytes(8, "little") + part for part in parts)


def _read(endpoint: Endpoint, request: JsonObject, sealed: tuple[Sealed, ...]) -> Question:
    check_keys(
        request,
        "the question",
        required=frozenset({"predicate", "nonce"}),
        optional=_OPTIONAL[endpoint],
    )
    if request.get("proof_system", PROOF_SYSTEM) != PROOF_SYSTEM:
        raise ProofSystemRejectedError
    nonce = as_string(request["nonce"], "nonce", limit=_NONCE_LIMIT)
    if not nonce:
        raise MalformedError("nonce is empty")
    statement: JsonObject = {"endpoint": endpoint.value, "request": request}
    return Question(
        endpoint=endpoint,
        request=request,
        bound=canonical(statement),
        sealed=sealed,
        nonce=nonce,
        audience=as_string(request.get("audience", ""), "audience", limit=_NONCE_LIMIT),
        predicate=as_object(request["predicate"], "predicate"),
        provider=_provider(endpoint, request),
        credentials=_credentials(request),
        extraction=_extraction(request),
        months=_months(request),
    )


_COMMON: Final = frozenset({"proof_system", "audience", "provider_id", "credentials", _TOKEN_FIELD})
_OPTIONAL: Final[Mapping[Endpoint, frozenset[str]]] = {
    Endpoint.BALANCE: _COMMON,
    Endpoint.INCOME: _COMMON | {"months"},
    Endpoint.EMPLOYMENT: _COMMON,
    Endpoint.EDUCATION: _COMMON,
    Endpoint.CREDIT: _COMMON,
    Endpoint.TRANSACTIONS: _COMMON,
    Endpoint.CUSTOM: _COMMON | {"provider", "extraction", "response_extraction"},
}


def _endpoint(value: Json) -> Endpoint:
    try:
        return Endpoint(as_string(value, "endpoint"))
    except ValueError as error:
        raise MalformedError("endpoint is not one of RFC-0023's") from error


def _provider(endpoint: Endpoint, request: JsonObject) -> str | JsonObject:
    named, inline = request.get("provider_id"), request.get("provider")
    if named is not None and inline is not None:
        raise MalformedError("the question names a provider and brings one: give one of the two")
    if inline is not None:
        return as_object(inline, "provider")
    if named is not None:
        return as_string(named, "provider_id", limit=128)
    if endpoint not in DEFAULT_PROVIDERS:
        raise MalformedError("the question lacks provider_id or provider")
    return DEFAULT_PROVIDERS[endpoint]


def _credentials(request: JsonObject) -> Mapping[str, Json]:
    credentials = as_object(request.get("credentials", {}), "credentials")
    if len(credentials) > MAX_CREDENTIALS:
        raise MalformedError(f"the question has more than {MAX_CREDENTIALS} credentials")
    if (token := request.get(_TOKEN_FIELD)) is not None and token != SEALED_MARK:
        raise UnsealedCredentialError(name=_TOKEN_FIELD)
    return credentials


def _extraction(request: JsonObject) -> JsonObject | None:
    for key in ("extraction", "response_extraction"):
        if key in request:
            return as_object(request[key], key)
    return None


def _months(request: JsonObject) -> int | None:
    if "months" not in request:
        return None
    return as_integer(request["months"], "months", low=1, high=12)


def _take_sealed(value: Json, location: str, found: list[Sealed]) -> Json:
    """Return ``value`` with a mark for each sealed string, and add those strings to ``found``."""
    match value:
        case dict():
            return {
                key: _take_sealed(item, member_location(location, key), found)
                for key, item in value.items()
            }
        case list():
            return [
                _take_sealed(item, f"{location}/{index}", found) for index, item in enumerate(value)
            ]
        case str() if location == TOKEN_LOCATION:
            # RFC-0023 has the bare base64 here, without the mark.
            return _sealed(value.removeprefix(SEALED_MARK), location, found)
        case str() if value.startswith(SEALED_MARK):
            return _sealed(value.removeprefix(SEALED_MARK), location, found)
        case _:
            return value


def _sealed(text: str, location: str, found: list[Sealed]) -> str:
    box = from_base64(text, f"the sealed value at {location[:128]}", limit_bytes=MAX_BOX_BYTES)
    found.append(Sealed(location=location, box=box))
    return SEALED_MARK
