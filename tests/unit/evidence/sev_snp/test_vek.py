import pytest
from tests.fakes.amd import CHIP, OID, OPERATOR, extensions, integer, text

from adyton.errors import MalformedError
from adyton.evidence.sev_snp.product import Generation, TcbVersion
from adyton.evidence.sev_snp.vek import Vek


def vek(found: dict[str, bytes]) -> Vek:
    return Vek.from_extensions({OID + name: value for name, value in found.items()})


def test_a_chips_certificate_says_what_the_chip_is() -> None:
    assert vek(extensions("Milan", "vcek")) == Vek(
        product="Milan-B0",
        generation=Generation.MILAN,
        tcb=TcbVersion(bl=4, tee=0, snp=27, ucode=222, fmc=None),
        hwid=CHIP,
        csp_id=None,
    )
    turin = vek(extensions("Turin", "vcek"))
    assert turin.tcb == TcbVersion(bl=1, tee=1, snp=4, ucode=81, fmc=1)
    assert turin.hwid == CHIP[:8]
    assert vek(extensions("Genoa", "vlek")).csp_id == OPERATOR


def test_small_processors_are_of_a_larger_ones_generation() -> None:
    assert vek(extensions("Genoa", "vcek", e2=text("Siena"))).generation is Generation.GENOA


def test_others_extensions_are_passed_over() -> None:
    found = {OID + name: value for name, value in extensions("Milan", "vcek").items()}
    assert Vek.from_extensions({**found, "1.2.3": b""}) == Vek.from_extensions(found)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"e1": None}, "lacks"),
        ({"e1": integer(1)}, "extensions of version 1"),
        ({"e2": text("Venice")}, "unknown product"),
        ({"e2": b"\x0c\x05Milan"}, "short text"),
        ({"e2": b"\x16\x80"}, "short text"),
        ({"e2": text("Milan") + b"\0"}, "bytes too many"),
        ({"e2": b"\x16\x05Mil"}, "ends in"),
        ({"e2": b"\x16\x01\xff"}, "ascii"),
        ({"e3_1": None}, "lacks"),
        ({"e3_1": integer(256)}, "256"),
        ({"e3_1": integer(-1)}, "-1"),
        ({"e3_1": b"\2\2\0\1"}, "shortest form"),
        ({"e3_1": integer(4) + b"\0"}, "bytes too many"),
        ({"e3_4": integer(1)}, "component that nobody knows"),
        ({"e3_9": integer(1)}, "unknown extension"),
        ({"e4": CHIP[:8]}, "8 bytes, not 64"),
        ({"e4": b"\x04\x40" + CHIP}, "66 bytes, not 64"),
        ({"e6": integer(1)}, "unknown extension"),
    ],
)
def test_what_the_table_does_not_have_is_malformed(
    changes: dict[str, bytes | None], reason: str
) -> None:
    with pytest.raises(MalformedError, match=reason):
        vek(extensions("Milan", "vcek", **changes))


@pytest.mark.parametrize("changes", [{"e3_9": None}, {"e3_4": integer(0)}, {"e4": CHIP}])
def test_turins_certificates_have_another_layout(changes: dict[str, bytes | None]) -> None:
    with pytest.raises(MalformedError):
        vek(extensions("Turin", "vcek", **changes))
