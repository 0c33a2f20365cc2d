"""Facts about a job's folder: a result is there whole and readable, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clipsvd_app.jobs.answers import MapPlace, MapResult
from clipsvd_app.jobs.folders import RESULT_FILE, read_result, write_result

if TYPE_CHECKING:
    from pathlib import Path


def placed(x: float) -> MapResult:
    return MapResult("pca", (MapPlace(1, x, 0.25),), "")


def test_a_result_comes_back_as_it_was(tmp_path: Path):
    write_result(tmp_path, placed(0.5))
    assert read_result(tmp_path, MapResult) == placed(0.5)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_result_that_could_not_be_read_again_is_not_written(tmp_path: Path, number: float):
    with pytest.raises(ValueError, match="null"):
        write_result(tmp_path, placed(number))
    assert not (tmp_path / RESULT_FILE).exists()
