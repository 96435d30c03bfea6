from pathlib import Path

import pytest

from adyton.adapters.installation import FolderNotPrivateError
from adyton.adapters.reference_string import (
    ReferenceString,
    ReferenceStringMissingError,
    check_points,
    find_reference_string,
    verification_string,
)

GENERATOR = bytes(31) + b"\x01" + bytes(31) + b"\x02"


def folder_with(path: Path, *, points: int) -> Path:
    path.mkdir()
    (path / "bn254_g1.dat").write_bytes(GENERATOR + bytes(64 * (points - 1)))
    return path


def test_the_setting_comes_before_the_variable_and_the_home_folder(tmp_path: Path) -> None:
    setting = folder_with(tmp_path / "setting", points=3)
    variable = folder_with(tmp_path / "variable", points=2)
    home = folder_with(tmp_path / ".bb-crs", points=1)
    environ = {"CRS_PATH": str(variable)}
    assert find_reference_string(environ, home=tmp_path, setting=setting) == ReferenceString(
        folder=setting, points=3
    )
    assert find_reference_string(environ, home=tmp_path).folder == variable
    assert find_reference_string({}, home=tmp_path).folder == home
    assert find_reference_string({"CRS_PATH": ""}, home=tmp_path).folder == home


def test_a_place_that_is_given_is_not_passed_over(tmp_path: Path) -> None:
    folder_with(tmp_path / ".bb-crs", points=8)
    found = find_reference_string({"CRS_PATH": "/nowhere"}, home=tmp_path)
    assert found == ReferenceString(folder=Path("/nowhere"), points=0)


def test_what_bb_downloads_is_counted_too(tmp_path: Path) -> None:
    (tmp_path / ".bb-crs").mkdir()
    (tmp_path / ".bb-crs" / "bn254_g1_compressed.dat").write_bytes(bytes(32 * 5))
    assert find_reference_string({}, home=tmp_path).points == 5


def test_the_points_of_the_second_curve_are_all_there_or_missing(tmp_path: Path) -> None:
    for points, whole in ((2**15 - 1, False), (2**15, True)):
        (tmp_path / "grumpkin_g1_v2.flat.dat").write_bytes(bytes(64 * points))
        assert find_reference_string({}, home=tmp_path, setting=tmp_path).grumpkin is whole


def test_a_file_that_begins_with_another_point_has_no_points(tmp_path: Path) -> None:
    (tmp_path / "bn254_g1.dat").write_bytes(bytes(64 * 5))
    assert find_reference_string({}, home=tmp_path, setting=tmp_path).points == 0


@pytest.mark.parametrize(
    ("gates", "wanted"), [(1, 1), (4096, 4096), (4097, 8192), (28_000, 32_768)]
)
def test_a_circuit_takes_points_up_to_the_next_power_of_two(gates: int, wanted: int) -> None:
    check_points(ReferenceString(folder=Path("here"), points=wanted), gates=gates)
    with pytest.raises(ReferenceStringMissingError) as caught:
        check_points(ReferenceString(folder=Path("here"), points=wanted - 1), gates=gates)
    assert (caught.value.found, caught.value.wanted) == (wanted - 1, wanted)


def test_what_is_missing_is_said_in_one_sentence() -> None:
    with pytest.raises(ReferenceStringMissingError) as caught:
        check_points(ReferenceString(folder=Path("/crs"), points=0), gates=4000)
    assert str(caught.value) == (
        "proving takes a reference string of 4096 points and /crs has 0: set CRS_PATH to a folder "
        "whose bn254_g1.dat has them, or let bb download them into ~/.bb-crs on a machine with "
        "internet access"
    )


def test_verifying_takes_one_point(tmp_path: Path) -> None:
    folder = verification_string(tmp_path / "one")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["bn254_g1.dat"]
    assert (folder / "bn254_g1.dat").read_bytes() == GENERATOR


def test_the_one_point_is_written_once_and_put_right(tmp_path: Path) -> None:
    points = verification_string(tmp_path / "one") / "bn254_g1.dat"
    written = points.stat().st_mtime_ns
    verification_string(tmp_path / "one")
    assert points.stat().st_mtime_ns == written
    points.write_bytes(bytes(64))
    verification_string(tmp_path / "one")
    assert points.read_bytes() == GENERATOR


def test_the_one_point_is_not_left_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(FolderNotPrivateError):
        verification_string(tmp_path)


def test_a_folder_that_cannot_be_made_has_no_point(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ReferenceStringMissingError):
        verification_string(tmp_path / "file" / "one")
