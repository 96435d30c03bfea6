"""What ``import adyton`` gives, and what it costs."""

import subprocess
import sys

import pytest

import adyton
import adyton.sdk

_COUNT = "import sys, adyton; print(sum(name.startswith('adyton.') for name in sys.modules))"


@pytest.mark.parametrize("package", [adyton, adyton.sdk])
def test_the_public_names_are_sorted_and_there(package: object) -> None:
    names: list[str] = package.__all__  # type: ignore[attr-defined]  # a module
    assert names == sorted(names)
    assert all(getattr(package, name).__name__ == name for name in names)
    assert set(names) <= set(dir(package))


@pytest.mark.parametrize("package", [adyton, adyton.sdk])
def test_another_name_is_an_attribute_error(package: object) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing  # type: ignore[attr-defined]  # that is the point


def test_importing_the_package_loads_nothing_of_it() -> None:
    found = subprocess.run([sys.executable, "-c", _COUNT], capture_output=True, check=True)
    assert found.stdout.split() == [b"0"]
