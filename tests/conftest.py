"""What all tests share."""

from typing import Any

from hypothesis import HealthCheck, settings

# A loaded machine is slow, and no test is about that.
settings.register_profile("adyton", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("adyton")

_LONG = 64


def pytest_make_parametrize_id(val: Any, argname: str) -> str | None:
    """Name a case by its parameter where its value is made anew in each process.

    Processes that share the tests out must agree on their names, and keys are random.
    """
    if isinstance(val, bytes | bytearray) or (isinstance(val, int) and val.bit_length() > _LONG):
        return argname
    return None
