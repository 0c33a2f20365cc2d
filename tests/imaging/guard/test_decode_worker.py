"""A hostile file costs one worker and one sentence; these functions stand for the files."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom.pixel_data import frames
from clipsvd_app.imaging.guard.decode_worker import (
    DecodeError,
    DecodePool,
    FatalFileError,
    LastFile,
    bounded,
)
from clipsvd_app.imaging.reading import read_frame


@pytest.fixture(scope="module")
def pool():
    made = DecodePool(time_limit_s=3.0, workers=1)
    yield made
    made.close()


def test_work_comes_back_from_another_process(pool):
    assert pool.run(os.getpid) != os.getpid()


def test_a_worker_that_dies_fails_its_own_file_alone(pool):
    with pytest.raises(DecodeError):
        pool.run(os._exit, 3)
    assert pool.run(abs, -7) == 7


def test_a_worker_that_aborts_as_native_code_does_fails_its_own_file_alone(pool):
    with pytest.raises(DecodeError):
        pool.run(os.abort)
    assert pool.run(abs, -7) == 7


def test_a_file_that_never_ends_is_given_up(pool):
    start = time.monotonic()
    with pytest.raises(DecodeError, match="time"):
        pool.run(time.sleep, 60)
    assert time.monotonic() - start < 15
    assert pool.run(abs, -7) == 7


def test_what_is_no_ordinary_exception_is_contained(pool):
    with pytest.raises(DecodeError, match="SystemExit"):
        pool.run(sys.exit)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the memory limit")
def test_a_file_that_wants_all_memory_is_refused(pool):
    with pytest.raises(DecodeError, match="MemoryError"):
        pool.run(bytearray, 64 * 1024**3)


def test_a_worker_imports_nothing_from_the_working_directory(pool, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "dl").mkdir()
    fresh = DecodePool(workers=1)
    try:
        assert str(tmp_path) not in fresh.run(getattr, _Sys(), "path")
    finally:
        fresh.close()


class _Sys:
    """Reads the search path of the process it is asked in."""

    @property
    def path(self) -> list[str]:
        return list(sys.path)


def test_a_pool_can_be_closed_twice_and_used_again():
    pool = DecodePool(workers=1)
    pool.close()
    assert pool.run(abs, -1) == 1
    pool.close()
    pool.close()
    assert pool.run(abs, -2) == 2
    pool.close()


def abort_on(path: str) -> None:
    os.abort()


@pytest.mark.skipif(sys.platform == "win32", reason="processes there do not end by signals")
def test_a_file_that_killed_a_worker_is_not_tried_again_until_it_changes(pool, tmp_path):
    path = tmp_path / "deadly"
    path.write_bytes(b"1")
    with pytest.raises(FatalFileError):
        pool.run_on_file(path, abort_on)
    with pytest.raises(FatalFileError, match="before"):
        pool.run_on_file(path, abort_on)
    path.write_bytes(b"12")
    assert pool.run_on_file(path, os.path.getsize) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="processes there do not end by signals")
def test_a_worker_killed_from_outside_says_nothing_of_its_file(pool, tmp_path):
    path = tmp_path / "innocent"
    path.write_bytes(b"1")
    with pytest.raises(DecodeError) as refused:
        pool.run_on_file(path, kill_self)
    assert not isinstance(refused.value, FatalFileError)
    assert pool.run_on_file(path, os.path.getsize) == 1


def kill_self(path: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def spin(megapixels: float) -> None:
    with bounded(megapixels):
        while True:
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the limit")
def test_computing_time_is_bounded_by_the_pixels_that_are_said_to_be_there():
    patient = DecodePool(time_limit_s=120.0, workers=1)
    started = time.monotonic()
    try:
        with pytest.raises(FatalFileError):
            patient.run(spin, 0.1)
    finally:
        patient.close()
    assert time.monotonic() - started < 60


def test_the_last_file_is_kept_and_the_one_before_let_go(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    read: list[str] = []
    last = LastFile(lambda path: read.append(path) or object())
    assert last.of(str(one)) is last.of(str(one))
    last.make_room(str(other))
    last.of(str(one))
    assert read == [str(one), str(one)]


def test_threads_share_one_pool(pool):
    found: list[int] = []
    threads = [threading.Thread(target=lambda n=n: found.append(pool.run(abs, -n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(8))


def test_a_killed_decoder_costs_the_user_one_sentence(bundled, monkeypatch):
    class Deadly:
        def run_on_file(self, *_):
            raise DecodeError("the worker died")

    monkeypatch.setattr(frames, "shared_pool", Deadly)
    with pytest.raises(UserError) as refused:
        read_frame(bundled("MR_small_RLE.dcm"))
    assert refused.value.code == "undecodable"
    assert "MR_small_RLE.dcm cannot be decoded" in refused.value.message


def test_reading_in_many_threads_leaves_the_warning_filters_as_they_were(bundled):
    before = list(warnings.filters)
    path, shapes = bundled("CT_small.dcm"), []
    threads = [
        threading.Thread(target=lambda: shapes.append(read_frame(path).pixels.shape)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == [(128, 128)] * 6
    assert list(warnings.filters) == before
    assert np.prod(shapes[0]) == 16384
