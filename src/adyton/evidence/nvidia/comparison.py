"""Measurements against golden values, one by one.

That golden values are missing is one thing, and that a measurement is none of them another: the
first is ``None`` where a ``Comparison`` could be, the second a ``Difference`` in one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adyton.errors import RejectedError
from adyton.evidence.nvidia.layout import MeasurementBlock
from adyton.evidence.nvidia.rim import Rim, RimKind

__all__ = ["Comparison", "Difference", "RimRejectedError", "compare", "measurement_index"]

# The one measurement that says nothing while its engine is switched off (NVIDIA's verifier).
_NVDEC0: Final = 35


class RimRejectedError(RejectedError):
    """Golden values are authentic, and about something else than the report."""

    code = "rim-rejected"

    def __init__(self, *, kind: str, reason: str) -> None:
        super().__init__(f"the {kind} rim {reason}")
        self.kind, self.reason = kind, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A measurement that is none of its golden values; ``found`` is ``None`` where it is absent."""

    kind: RimKind
    index: int
    name: str
    found: bytes | None
    accepted: tuple[bytes, ...]

    def __str__(self) -> str:
        found = "absent" if self.found is None else self.found.hex()
        accepted = " or ".join(value.hex() for value in self.accepted)
        return f"{self.kind} measurement {self.index} ({self.name}) is {found}, not {accepted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of a comparison with the golden values in ``rims``.

    ``missing`` are those that the device would need besides. ``unreferenced`` are measurements that
    are not zero, and of which no golden value says what they should be: NVIDIA leaves some out.
    """

    rims: tuple[RimKind, ...]
    missing: tuple[RimKind, ...]
    compared: int
    differences: tuple[Difference, ...]
    unreferenced: tuple[int, ...]

    @property
    def matches(self) -> bool:
        """Whether all golden values were there, and every measurement is one of its own."""
        return not self.missing and not self.differences and self.compared > 0


def measurement_index(block: MeasurementBlock) -> int:
    """Return the index by which NVIDIA's golden values call a measurement: they count from zero."""
    return block.index - 1


def compare(
    blocks: Sequence[MeasurementBlock],
    rims: Mapping[RimKind, Rim],
    *,
    needed: Sequence[RimKind],
    nvdec0: bool,
) -> Comparison:
    """Return how measurements compare with golden values, or raise ``RimRejectedError``.

    1. No measurement has golden values in two RIMs.
    2. Each that has some is one of them. Where the video decoder is off (``nvdec0``), its
       measurement is left out.
    """
    found = {measurement_index(block): block.value for block in blocks}
    golden = {
        (kind, item.index): item for kind, rim in rims.items() for item in rim.measurements.values()
    }
    # Step 1: the one would hide what the other refuses.
    indices = {index for _, index in golden}
    if len(indices) != len(golden):
        raise RimRejectedError(kind="vbios", reason="has measurements that the driver rim has, too")
    # Step 2
    compared = {key: item for key, item in golden.items() if nvdec0 or key[1] != _NVDEC0}
    differences = tuple(
        Difference(
            kind=kind,
            index=index,
            name=item.name,
            found=found.get(index),
            accepted=item.values,
        )
        for (kind, index), item in compared.items()
        if found.get(index) not in item.values
    )
    return Comparison(
        rims=tuple(rims),
        missing=tuple(kind for kind in needed if kind not in rims),
        compared=len(compared),
        differences=differences,
        unreferenced=tuple(
            index for index, value in found.items() if index not in indices and any(value)
        ),
    )
