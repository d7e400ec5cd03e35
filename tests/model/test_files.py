"""A file is there whole, with its mode, or as it was before."""

import os
from pathlib import Path

import pytest

from model.files import check_can_hold, write_whole


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    write_whole(path, b"one", 0o600)
    write_whole(path, b"two", 0o600)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert [child.name for child in path.parent.iterdir()] == ["file"]


def test_what_goes_wrong_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_can_hold_a_file_is_found_so_and_left_as_it_was(tmp_path):
    check_can_hold(tmp_path / "not" / "there" / "yet")
    check_can_hold(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["/proc/nowhere", "/dev/null/below-a-file"])
def test_a_folder_that_cannot_is_named_with_the_fix(folder):
    with pytest.raises(OSError, match=f"^{folder}: cannot be written to: .*; name another folder$"):
        check_can_hold(Path(folder))
