"""A file replaced under an image's name takes no part in training, prediction and preview, and is counted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.changing import replace

from clipsvd_app.engine.data.images import open_image, read_squares
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.hashes import file_sha256

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def hashed(studies, tmp_path: Path):
    """Return copies of four images that carry the hash of their file, the first of them replaced."""
    inputs = []
    for image in studies[:4]:
        path = tmp_path / f"{image.id}.png"
        shutil.copy(image.path, path)
        inputs.append(replace(image, path=str(path), sha256=file_sha256(path)))
    shutil.copy(inputs[1].path, inputs[0].path)
    return tuple(inputs)


def quiet(*_ignored: object) -> None:
    """Take a report and say nothing."""


def test_a_replaced_file_is_left_out_and_counted(hashed) -> None:
    read = read_squares(hashed, 32, "bicubic", quiet)
    assert read.replaced == (hashed[0].id,)
    assert [image.id for image in read.inputs] == [image.id for image in hashed[1:]]
    assert "replaced by a different file" in read.refused[0][1]
    with pytest.raises(UserError, match="replaced by a different file"):
        open_image(hashed[0])
    assert open_image(replace(hashed[0], sha256="")).shape
