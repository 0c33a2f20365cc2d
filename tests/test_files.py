"""Files that two processes write, and caches that keep to a size."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from clipsvd_app.files import file_state, keep, prune, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_writers_at_one_time_leave_one_whole_file_and_no_draft(tmp_path: Path) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(lambda raw: write_whole(tmp_path / "a", raw), contents * 4))
    assert (tmp_path / "a").read_bytes() in contents
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208 - hidden drafts count


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch) -> None:
    write_whole(tmp_path / "a", b"old")
    monkeypatch.setattr("clipsvd_app.files.os.fsync", lambda _: (_ for _ in ()).throw(OSError()))
    with pytest.raises(OSError):  # noqa: PT011 - the system's own
        write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in its place")
    keep(tmp_path / "cache" / "a", b"x")
    assert (tmp_path / "cache").read_text() == "a file in its place"


def test_a_cache_loses_its_oldest_entries_until_it_fits(tmp_path: Path) -> None:
    for number in range(6):
        keep(tmp_path / str(number % 2) / f"{number}.npy", b"x" * 100)
        os.utime(tmp_path / str(number % 2) / f"{number}.npy", (number, number))
    prune(tmp_path, 350)
    assert sorted(file.stem for file in tmp_path.rglob("*.npy")) == ["3", "4", "5"]
    prune(tmp_path / "none", 0)


def test_a_file_replaced_under_its_old_time_has_another_state(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"one")
    os.utime(tmp_path / "a", (1, 1))
    before = file_state(tmp_path / "a")
    write_whole(tmp_path / "a", b"two")
    os.utime(tmp_path / "a", (1, 1))
    after = file_state(tmp_path / "a")
    assert after[:2] == before[:2]
    assert after != before
