"""What a policy accepts of each platform: who may look inside, how old its firmware is, which code.

Every field is a decision. Two may be left out, and accept nothing then: ``findings`` and
``expression``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final, Literal

from adyton.appraisal.document import (
    Choice,
    NotRequired,
    Required,
    items,
    named,
    required,
    section,
    text,
    word,
)
from adyton.appraisal.expression import Expression
from adyton.codec.json import Json, JsonObject, as_integer, as_string
from adyton.codec.text import from_hex
from adyton.errors import MalformedError
from adyton.model.claims import DEBUG_MODE, Platform

__all__ = ["PlatformPolicy", "Reference", "TcbPolicy", "read_platforms"]

_PLATFORM_KEYS: Final = frozenset({"debug", "tcb", "measurements"})
_PLATFORM_OPTIONAL: Final = frozenset({"findings", "expression"})
_TCB_KEYS: Final = frozenset(
    {
        "statuses",
        "advisories",
        "grace_days",
        "minimum_evaluation_number",
        "minimum_versions",
        "revocation",
    }
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_REGISTER: Final = re.compile(r"pcr([0-9]|[12][0-9]|3[01])")
_MAX_SIZE: Final = 64
_MAX_NUMBER: Final = 2**64 - 1
_REGISTER_SIZES: Final = (32, 48, 64)
_MAX_DAYS: Final = 3660
# What says who made the code that the hardware started. All else there is chosen by that code, or
# by its host: with a machine of one's own, one has the registers of anybody's.
_SNP_LAUNCHED: Final = frozenset({"measurement", "id_key_digest", "author_key_digest"})
_LAUNCHED: Final[Mapping[Platform, frozenset[str]]] = MappingProxyType(
    {
        Platform.SGX: frozenset({"mr_enclave", "mr_signer"}),
        Platform.TDX: frozenset({"mr_td"}),
        Platform.AZURE_TDX: frozenset({"mr_td"}),
        Platform.SEV_SNP: _SNP_LAUNCHED,
        Platform.AZURE_SEV_SNP: _SNP_LAUNCHED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A named set of measurements: evidence has to agree with all of them.

    Of a measurement, one of several values is accepted; a number is compared as it is.
    """

    name: str
    measurements: Mapping[str, frozenset[bytes] | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbPolicy:
    """How old the firmware may be.

    ``statuses`` are the vendor's words that are accepted, and ``advisories`` those that a platform
    may be subject to. For ``grace`` after the date of its level, a platform that is out of date is
    accepted all the same. ``minimum_versions`` are security versions by the vendor's names.
    """

    statuses: frozenset[str] | NotRequired
    advisories: frozenset[str] | Literal[Choice.ANY]
    grace: timedelta
    minimum_evaluation_number: int | NotRequired
    minimum_versions: Mapping[str, int]
    revocation: Required


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPolicy:
    """What is accepted of one platform. One of ``references`` has to match.

    ``findings`` are the codes of what is accepted of a configuration although it speaks against it.
    ``expression`` has to be satisfied besides, for what all of these cannot say.
    """

    debug: Literal[Choice.REFUSED, Choice.ACCEPTED]
    tcb: TcbPolicy | NotRequired
    references: tuple[Reference, ...] | NotRequired
    findings: frozenset[str] = frozenset()
    expression: Expression | None = None

    def to_json(self) -> JsonObject:
        """Return the section that reads as this."""
        record: JsonObject = {
            "debug": self.debug.value,
            "tcb": self.tcb.value if isinstance(self.tcb, Choice) else _tcb_json(self.tcb),
            "measurements": self.references.value
            if isinstance(self.references, Choice)
            else {item.name: _reference_json(item) for item in self.references},
        }
        if self.findings:
            record["findings"] = [*sorted(self.findings)]
        if self.expression is not None:
            record["expression"] = self.expression.text
        return record


def read_platforms(value: Json) -> Mapping[Platform, PlatformPolicy]:
    """Return what is accepted by platform, or raise ``MalformedError``."""
    platforms = {}
    for name, item in named(value, "policy.platforms").items():
        if name not in set(Platform):
            known = ", ".join(sorted(Platform))
            raise MalformedError(f"policy.platforms.{name} is no platform; there are {known}")
        where = f"policy.platforms.{name}"
        platforms[Platform(name)] = accepted = _platform(item, where)
        _check_launched(Platform(name), accepted, where)
    return MappingProxyType(platforms)


def _check_launched(platform: Platform, accepted: PlatformPolicy, where: str) -> None:
    wanted = _LAUNCHED.get(platform)
    if wanted is None or isinstance(accepted.references, Choice):
        return
    for reference in accepted.references:
        if not wanted & reference.measurements.keys():
            raise MalformedError(
                f"{where}.measurements.{reference.name} names none of {', '.join(sorted(wanted))}:"
                " anybody's code on such hardware could have the rest"
            )


def _platform(value: Json, where: str) -> PlatformPolicy:
    record = section(value, where, _PLATFORM_KEYS, optional=_PLATFORM_OPTIONAL)
    debug = word(record["debug"], f"{where}.debug", Choice.REFUSED, Choice.ACCEPTED)
    findings = items(record["findings"], f"{where}.findings", text) if "findings" in record else ()
    if DEBUG_MODE in findings:
        # One decision, one place.
        raise MalformedError(f"{where}.findings has {DEBUG_MODE}: say so with debug")
    return PlatformPolicy(
        debug=Choice.ACCEPTED if debug is Choice.ACCEPTED else Choice.REFUSED,
        tcb=_tcb(record["tcb"], f"{where}.tcb"),
        references=_references(record["measurements"], f"{where}.measurements"),
        findings=frozenset(findings),
        expression=_expression(record["expression"], f"{where}.expression")
        if "expression" in record
        else None,
    )


def _expression(value: Json, where: str) -> Expression:
    # It says itself what is too long, depending on what is in it.
    return Expression.from_text(as_string(value, where), where=where)


def _tcb(value: Json, where: str) -> TcbPolicy | NotRequired:
    if isinstance(value, str):
        word(value, where, Choice.NOT_REQUIRED)
        return Choice.NOT_REQUIRED
    record = section(value, where, _TCB_KEYS)
    statuses, advisories = record["statuses"], record["advisories"]
    number = record["minimum_evaluation_number"]
    days = as_integer(record["grace_days"], f"{where}.grace_days", low=0, high=_MAX_DAYS)
    return TcbPolicy(
        statuses=Choice.NOT_REQUIRED
        if statuses == Choice.NOT_REQUIRED.value
        else items(statuses, f"{where}.statuses", text),
        advisories=Choice.ANY
        if advisories == Choice.ANY.value
        else items(advisories, f"{where}.advisories", text, low=0),
        grace=timedelta(days=days),
        minimum_evaluation_number=Choice.NOT_REQUIRED
        if number == Choice.NOT_REQUIRED.value
        else as_integer(number, f"{where}.minimum_evaluation_number", low=0, high=_MAX_NUMBER),
        minimum_versions=MappingProxyType(
            {
                _name(name, f"{where}.minimum_versions"): as_integer(
                    item, f"{where}.minimum_versions.{name}", low=0, high=_MAX_NUMBER
                )
                for name, item in named(
                    record["minimum_versions"], f"{where}.minimum_versions", low=0
                ).items()
            }
        ),
        revocation=required(record["revocation"], f"{where}.revocation"),
    )


def _references(value: Json, where: str) -> tuple[Reference, ...] | NotRequired:
    if value == Choice.NOT_REQUIRED.value:
        return Choice.NOT_REQUIRED
    return tuple(
        Reference(
            name=name,
            measurements=MappingProxyType(
                {
                    _measured(key, f"{where}.{name}"): _measurement(key, found, f"{where}.{name}")
                    for key, found in named(item, f"{where}.{name}").items()
                }
            ),
        )
        for name, item in named(value, where).items()
    )


def _measured(name: str, where: str) -> str:
    if name.startswith("pcr") and not _REGISTER.fullmatch(name):
        raise MalformedError(f"{where}.{name} is no register; there are pcr0 to pcr31")
    return _name(name, where)


def _name(name: str, where: str) -> str:
    if not _NAME.fullmatch(name):
        raise MalformedError(f"{where}.{name} is no name of a measurement or version")
    return name


def _measurement(name: str, value: Json, section_name: str) -> frozenset[bytes] | int:
    where = f"{section_name}.{name}"
    read = _register if _REGISTER.fullmatch(name) else _bytes
    if isinstance(value, list):
        return items(value, where, read)
    if isinstance(value, int) and read is _bytes:
        return as_integer(value, where, low=0, high=_MAX_NUMBER)
    return frozenset({read(value, where)})


def _register(value: Json, where: str) -> bytes:
    found = _bytes(value, where)
    if len(found) not in _REGISTER_SIZES:
        raise MalformedError(f"{where} has {len(found)} bytes, not 32, 48 or 64")
    return found


def _bytes(value: Json, where: str) -> bytes:
    found = as_string(value, where, limit=2 * _MAX_SIZE)
    size = len(found) // 2
    if not size:
        raise MalformedError(f"{where} is empty")
    return from_hex(found, where, size=size)


def _reference_json(reference: Reference) -> JsonObject:
    return {name: _value_json(value) for name, value in reference.measurements.items()}


def _value_json(value: frozenset[bytes] | int) -> Json:
    if isinstance(value, int):
        return value
    texts = [item.hex() for item in sorted(value)]
    return texts[0] if len(texts) == 1 else [*texts]


def _tcb_json(tcb: TcbPolicy) -> JsonObject:
    number = tcb.minimum_evaluation_number
    return {
        "statuses": tcb.statuses.value
        if isinstance(tcb.statuses, Choice)
        else [*sorted(tcb.statuses)],
        "advisories": tcb.advisories.value
        if isinstance(tcb.advisories, Choice)
        else [*sorted(tcb.advisories)],
        "grace_days": tcb.grace.days,
        "minimum_evaluation_number": number.value if isinstance(number, Choice) else number,
        "minimum_versions": {**tcb.minimum_versions},
        "revocation": tcb.revocation.value,
    }
