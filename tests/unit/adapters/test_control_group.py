"""A control group, in a folder that looks like one."""

from pathlib import Path

import pytest

from adyton.adapters.control_group import ControlGroupError, MemoryGroup


def test_a_process_joins_a_group_of_its_own_with_its_limit(tmp_path: Path) -> None:
    MemoryGroup.join(tmp_path, 4711, limit_bytes=1024)
    (group,) = tmp_path.iterdir()
    assert (group / "memory.max").read_text() == "1024\n"
    assert (group / "memory.swap.max").read_text() == "0\n"
    assert (group / "cgroup.procs").read_text() == "4711\n"


def test_a_group_says_whether_it_ran_out_of_memory(tmp_path: Path) -> None:
    group = MemoryGroup.join(tmp_path, 4711, limit_bytes=1024)
    assert not group.ran_out
    for count, ran_out in ((0, False), (1, True)):
        events = f"low 0\noom 3\noom_kill {count}\noom_group_kill 0\n"
        (tmp_path / "adyton-4711" / "memory.events").write_text(events)
        assert group.ran_out is ran_out


def test_groups_that_were_left_behind_are_swept_away(tmp_path: Path) -> None:
    (tmp_path / "adyton-1").mkdir()
    (tmp_path / "other").mkdir()
    MemoryGroup.join(tmp_path, 2, limit_bytes=1024)
    assert {each.name for each in tmp_path.iterdir()} == {"adyton-2", "other"}


def test_what_is_no_group_is_an_error_and_no_limit_less(tmp_path: Path) -> None:
    with pytest.raises(ControlGroupError, match="missing"):
        MemoryGroup.join(tmp_path / "missing", 2, limit_bytes=1024)


def test_closing_a_group_that_is_in_use_leaves_it(tmp_path: Path) -> None:
    group = MemoryGroup.join(tmp_path, 2, limit_bytes=1024)
    group.close()
    assert (tmp_path / "adyton-2").is_dir()
