"""The fourth part of an appraisal: whether the code is one that the policy names, or what differs.

A refusal names the nearest reference, and every measurement in which the evidence is another: one
register that differs tells an operator more than four that are listed.
"""

from typing import Final

from adyton.appraisal.document import Choice, NotRequired
from adyton.appraisal.platforms import Reference
from adyton.model.claims import Claims
from adyton.model.verdict import Finding, Part, failed, finding, not_required, passed

__all__ = ["NAME", "nearest", "weigh_identity"]

NAME: Final = "identity"


def weigh_identity(claims: Claims, references: tuple[Reference, ...] | NotRequired) -> Part:
    """Return the part for the measurements of ``claims``: all of one reference's, or the nearest's.

    A measurement that is not there differs from every value.
    """
    if isinstance(references, Choice):
        text = "the policy does not ask which code runs"
        return not_required(NAME, "measurements-not-required", text)
    reference, differences = nearest(claims, references)
    if differences:
        return failed(NAME, *(_mismatch(claims, reference, name) for name in differences))
    return passed(
        NAME, finding("measurements-accepted", f"the measurements are those of {reference.name!r}")
    )


def nearest(claims: Claims, references: tuple[Reference, ...]) -> tuple[Reference, list[str]]:
    """Return the reference that differs least, and in what: somebody most likely meant this one."""
    differing = [(reference, _differences(claims, reference)) for reference in references]
    return min(differing, key=lambda pair: len(pair[1]))


def _differences(claims: Claims, reference: Reference) -> list[str]:
    return [
        name for name, wanted in reference.measurements.items() if not _agrees(claims, name, wanted)
    ]


def _agrees(claims: Claims, name: str, wanted: frozenset[bytes] | int) -> bool:
    if isinstance(wanted, int):
        return claims.numbers.get(name) == wanted
    return claims.measurements.get(name) in wanted


def _mismatch(claims: Claims, reference: Reference, name: str) -> Finding:
    wanted = reference.measurements[name]
    if isinstance(wanted, int):
        number = claims.numbers.get(name)
        has, accepted = "is not there" if number is None else f"is {number}", str(wanted)
    else:
        value = claims.measurements.get(name)
        has = "is not there" if value is None else f"is {value.hex()}"
        accepted = " or ".join(item.hex() for item in sorted(wanted))
    return finding(
        "measurement-rejected",
        f"{name} {has}; the nearest accepted, {reference.name!r}, has {accepted}",
    )
