from itertools import product

import pytest

from adyton.evidence.dcap.status import TcbStatus, converged, relaunch_advised

S = TcbStatus


@pytest.mark.parametrize(
    ("platform", "parts", "expected"),
    [
        (S.UP_TO_DATE, [S.UP_TO_DATE, S.UP_TO_DATE], S.UP_TO_DATE),
        (S.SW_HARDENING_NEEDED, [S.UP_TO_DATE], S.SW_HARDENING_NEEDED),
        (S.UP_TO_DATE, [S.UP_TO_DATE, S.OUT_OF_DATE], S.OUT_OF_DATE),
        (S.SW_HARDENING_NEEDED, [S.OUT_OF_DATE], S.OUT_OF_DATE),
        (S.CONFIGURATION_NEEDED, [S.OUT_OF_DATE], S.OUT_OF_DATE_CONFIGURATION_NEEDED),
        (
            S.CONFIGURATION_AND_SW_HARDENING_NEEDED,
            [S.OUT_OF_DATE],
            S.OUT_OF_DATE_CONFIGURATION_NEEDED,
        ),
        (S.OUT_OF_DATE, [S.OUT_OF_DATE], S.OUT_OF_DATE),
        (S.OUT_OF_DATE_CONFIGURATION_NEEDED, [S.OUT_OF_DATE], S.OUT_OF_DATE_CONFIGURATION_NEEDED),
        (S.UP_TO_DATE, [S.CONFIGURATION_NEEDED], S.OUT_OF_DATE),
        (S.UP_TO_DATE, [S.REVOKED, S.UP_TO_DATE], S.REVOKED),
        (S.REVOKED, [S.UP_TO_DATE], S.REVOKED),
        (S.NOT_SUPPORTED, [S.REVOKED], S.NOT_SUPPORTED),
        (S.UP_TO_DATE, [S.NOT_SUPPORTED], S.NOT_SUPPORTED),
    ],
)
def test_parts_make_a_platform_worse(
    platform: TcbStatus, parts: list[TcbStatus], expected: TcbStatus
) -> None:
    assert converged(platform, parts) is expected


def test_nothing_becomes_up_to_date_unless_all_is() -> None:
    for platform, part in product(S, S):
        result = converged(platform, [part])
        assert (result is S.UP_TO_DATE) is (platform is part is S.UP_TO_DATE)


@pytest.mark.parametrize(
    ("launch", "current", "expected"),
    [
        (S.OUT_OF_DATE, S.UP_TO_DATE, S.TD_RELAUNCH_ADVISED),
        (S.OUT_OF_DATE, S.SW_HARDENING_NEEDED, S.TD_RELAUNCH_ADVISED),
        (S.OUT_OF_DATE, S.CONFIGURATION_NEEDED, S.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED),
        (
            S.OUT_OF_DATE_CONFIGURATION_NEEDED,
            S.UP_TO_DATE,
            S.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
        ),
        (S.OUT_OF_DATE, S.OUT_OF_DATE, S.OUT_OF_DATE),
        (S.OUT_OF_DATE, S.NOT_SUPPORTED, S.NOT_SUPPORTED),
        (S.OUT_OF_DATE_CONFIGURATION_NEEDED, S.REVOKED, S.REVOKED),
        (S.UP_TO_DATE, S.SW_HARDENING_NEEDED, S.UP_TO_DATE),
        (S.UP_TO_DATE, S.OUT_OF_DATE, S.OUT_OF_DATE),
        (S.SW_HARDENING_NEEDED, S.REVOKED, S.REVOKED),
        (S.UP_TO_DATE, S.NOT_SUPPORTED, S.NOT_SUPPORTED),
        (S.REVOKED, S.UP_TO_DATE, S.REVOKED),
        (S.NOT_SUPPORTED, S.UP_TO_DATE, S.NOT_SUPPORTED),
    ],
)
def test_a_relaunch_is_advised_where_it_helps(
    launch: TcbStatus, current: TcbStatus, expected: TcbStatus
) -> None:
    assert relaunch_advised(launch, current) is expected
