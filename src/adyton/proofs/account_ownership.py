"""``account_ownership``: whether one account has an owner of some name, and some number.

Columns, a row each owner of an account: ``owner`` and ``number`` (strings; a definition has at
least one of them), and ``account`` (string), which says which rows are of one account; without it
each row is an account of its own. Name and number must be the same account's.

The asker sends hashes under a salt of its own instead of name and number, and the salt sealed, so
that neither the gateway nor a reader of the statement learns whose account it is. The salt must be
random: without that, a guessed name could be tried against the hash.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from adyton.codec.json import Json, JsonObject, check_keys
from adyton.codec.text import from_hex
from adyton.crypto.hashing import FIELD_MODULUS, field_text, hash_to_field
from adyton.errors import MalformedError, RejectedError
from adyton.model.value import Extracted
from adyton.proofs.abi import AbiValue
from adyton.proofs.binding import Binding
from adyton.proofs.circuit import Asked, Facts, Parameters, PrivateInputs
from adyton.proofs.columns import ColumnMissingError, check_count, optional_texts
from adyton.proofs.predicates import (
    PredicateMalformedError,
    check_predicate_keys,
    predicate_type,
)

__all__ = [
    "Account",
    "Accounts",
    "OwnershipParameters",
    "SaltRejectedError",
    "name_hash",
    "number_hash",
]

ACCOUNTS: Final = 8
OWNERS: Final = 4
# 128 bits in hexadecimal.
MIN_SALT_CHARACTERS: Final = 32

_DOMAIN: Final = "adyton/ownership/v1"
_TYPES: Final = frozenset({"owns"})
_KEYS: Final = frozenset({"name_hash", "number_hash"})
_FIELD_BYTES: Final = 32


class SaltRejectedError(RejectedError):
    """The sealed credential ``salt`` lacks, or is short enough to be guessed."""

    code = "salt-rejected"

    def __init__(self) -> None:
        super().__init__(f"the credential salt has not at least {MIN_SALT_CHARACTERS} characters")


def name_hash(salt: str, name: str) -> int:
    """Return the hash of an owner's name: case, width of letters and spaces do not matter."""
    normal = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return hash_to_field(_DOMAIN, salt.encode(), normal.encode())


def number_hash(salt: str, number: str) -> int:
    """Return the hash of an account's number: only its letters and digits matter."""
    return hash_to_field(_DOMAIN, salt.encode(), _significant(number).encode())


def _significant(number: str) -> str:
    normal = unicodedata.normalize("NFKC", number).casefold()
    return "".join(character for character in normal if character.isalnum())


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipParameters(Parameters):
    """The salted hashes that are looked for; ``None`` is not asked for, and one is."""

    circuit: ClassVar[str] = "account_ownership"

    name: int | None
    number: int | None

    @classmethod
    def from_predicate(cls, predicate: JsonObject, _facts: Facts, /) -> Self:
        """Return the parameters of ``{type: owns, name_hash?, number_hash?}``."""
        predicate_type(predicate, _TYPES)
        check_predicate_keys(predicate, required=frozenset(), optional=_KEYS)
        try:
            return cls(**_hashes(predicate, "predicate"))
        except MalformedError as error:
            raise PredicateMalformedError(str(error)) from error

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return the parameters in a statement, or raise ``MalformedError``."""
        check_keys(record, "parameters", required=frozenset(), optional=_KEYS)
        return cls(**_hashes(record, "parameters"))

    def to_json(self) -> JsonObject:
        """Return what a statement holds: the hashes that are asked for."""
        hashes = {"name_hash": self.name, "number_hash": self.number}
        return {key: field_text(value) for key, value in hashes.items() if value is not None}

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's public parameters."""
        return {"expected_name": self.name or 0, "expected_number": self.number or 0}

    def private_inputs(self, extracted: Extracted, asked: Asked, /) -> "Accounts":
        """Return the accounts of ``extracted``, all of them, hashed under the asker's salt."""
        if asked.salt is None or len(asked.salt) < MIN_SALT_CHARACTERS:
            raise SaltRejectedError
        if self.name is not None and "owner" not in extracted.columns:
            raise ColumnMissingError(column="owner")
        if self.number is not None and "number" not in extracted.columns:
            raise ColumnMissingError(column="number")
        accounts = tuple(
            Account(
                # A name of spaces, or a number of dashes, is none: it would match any other such.
                owners=tuple(name_hash(asked.salt, owner) for owner in some if owner.strip()),
                number=number_hash(asked.salt, number) if number and _significant(number) else None,
            )
            for number, owners in _by_account(extracted)
            for some in _in_fours(owners)
        )
        check_count(len(accounts), "account", limit=ACCOUNTS)
        return Accounts(parameters=self, accounts=accounts)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Account:
    """Up to four owners' salted hashes, and the number's if there is one."""

    owners: tuple[int, ...]
    number: int | None


_NO_ACCOUNT: Final[Mapping[str, AbiValue]] = {"owners": [0] * OWNERS, "number": 0}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Accounts(PrivateInputs):
    """Up to eight accounts; one with more than four owners takes several places."""

    parameters: OwnershipParameters
    accounts: tuple[Account, ...]

    def evaluate(self, _binding: Binding, /) -> bool:
        """Return whether an account has what is asked for."""
        name, number = self.parameters.name, self.parameters.number
        return any(
            (name is None or name in account.owners)
            and (number is None or number == account.number)
            for account in self.accounts
        )

    def values(self) -> Mapping[str, AbiValue]:
        """Return the circuit's private parameters."""
        used: list[Mapping[str, AbiValue]] = [
            {
                "owners": [*account.owners, *[0] * (OWNERS - len(account.owners))],
                "number": account.number or 0,
            }
            for account in self.accounts
        ]
        return {"accounts": [*used, *[_NO_ACCOUNT] * (ACCOUNTS - len(used))]}


def _hashes(record: JsonObject, where: str) -> dict[str, int | None]:
    if not _KEYS & record.keys():
        raise MalformedError(f"{where} has neither name_hash nor number_hash")
    return {
        name: _hash(record[f"{name}_hash"], f"{where}.{name}_hash")
        if f"{name}_hash" in record
        else None
        for name in ("name", "number")
    }


def _hash(value: Json, name: str) -> int:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise MalformedError(f"{name} is not 0x and 64 hexadecimal digits")
    element = int.from_bytes(from_hex(value[2:], name, size=_FIELD_BYTES))
    if not 0 < element < FIELD_MODULUS:
        raise MalformedError(f"{name} is not the hash of anything")
    return element


def _by_account(extracted: Extracted) -> list[tuple[str | None, list[str]]]:
    rows = max((len(column.values) for column in extracted.columns.values()), default=0)
    owners = optional_texts(extracted, "owner", rows=rows)
    numbers = optional_texts(extracted, "number", rows=rows)
    accounts = optional_texts(extracted, "account", rows=rows)
    found: dict[tuple[str | int, str | None], list[str]] = {}
    for row, (account, owner, number) in enumerate(zip(accounts, owners, numbers, strict=True)):
        names = found.setdefault((row if account is None else account, number), [])
        if owner is not None:
            names.append(owner)
    return [(number, list(dict.fromkeys(names))) for (_, number), names in found.items()]


def _in_fours(owners: list[str]) -> list[list[str]]:
    # An account without owners still has its number.
    return [owners[at : at + OWNERS] for at in range(0, len(owners), OWNERS)] or [[]]
