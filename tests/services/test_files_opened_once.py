"""A file that is added is opened once, and a compressed one once more in the worker that decodes it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import RLELossless
from support.films import ct_slices, film

from clipsvd_app.imaging.dicom.pixel_data import frames
from clipsvd_app.imaging.formats import images
from clipsvd_app.imaging.guard import decode_worker
from clipsvd_app.services.labels.class_folders import class_folders
from clipsvd_app.services.studies.found_files import read_files
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WATCHED: dict[str, Counter[str]] = {}


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _WATCHED and isinstance(arguments[0], str | bytes | os.PathLike):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        for folder, opened in _WATCHED.items():
            if path.startswith(folder + os.sep):
                opened[Path(path).name] += 1


sys.addaudithook(_watch)  # for good: Python has no way to take a hook away


class _PoolHere:
    """Decodes in this process, where the openings are counted."""

    def run_on_file(self, path: Path, function: Callable[..., object], *arguments: object) -> object:
        return decode_worker._contained(function, (str(path), *arguments))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Counter[str]]:
    """Return how often each file below "in" was opened in this process."""
    folder = os.path.realpath(tmp_path / "in")
    _WATCHED[folder] = Counter()
    yield _WATCHED[folder]
    del _WATCHED[folder]


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def plain_files(folder: Path) -> list[str]:
    for seed in range(3):
        film(folder / f"film{seed}.dcm", f"P{seed}", seed)
        Image.fromarray(noise(seed, 40, 50)).save(folder / f"grey{seed}.png")
        Image.fromarray(noise(seed + 9, 40, 50, 3)).save(folder / f"colour{seed}.jpg")
    ct_slices(folder / "ct", range(5), WindowCenter="40", WindowWidth="400")
    return [path.name for path in folder.rglob("*.*")]


def add(project, folder: Path) -> None:
    project.apply(apply_import(project, plan_import(project, [folder])))


def test_plain_files_are_opened_once(project, tmp_path, opened):
    names = plain_files(tmp_path / "in")
    opened.clear()
    add(project, tmp_path / "in")
    assert len(project.images()) == len(names) == 14
    assert opened == dict.fromkeys(names, 1)


def test_files_named_one_by_one_are_looked_at_once_before_they_are_read(project, tmp_path, opened):
    names = plain_files(tmp_path / "in")
    paths = [path for path in (tmp_path / "in").rglob("*") if path.is_file()]
    opened.clear()
    read = read_files(paths)
    assert class_folders(paths, read, project.images_folder) is None
    assert opened == dict.fromkeys(names, 2)


def test_files_for_the_worker_are_opened_once_here_and_once_there(project, tmp_path, opened, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(noise(1, 40, 50)).save(folder / "page.tif")
    Image.fromarray(noise(2, 40, 50, 3)).save(folder / "lossy.webp")
    Image.fromarray(noise(3, 40, 50)).save(folder / "wave.jp2")
    Image.fromarray(noise(4, 40, 50)).save(folder / "plain.pgm")
    packed = dcmread(film(folder / "film.dcm", "P", 5))
    packed.compress(RLELossless, generate_instance_uid=False)
    packed.save_as(folder / "film.dcm")
    names = [path.name for path in folder.iterdir()]
    for module in (images, frames):
        monkeypatch.setattr(module, "shared_pool", _PoolHere)
        monkeypatch.setattr(module, "bounded", lambda _megapixels: nullcontext())  # ends the process
    opened.clear()
    add(project, folder)
    assert len(project.images()) == len(names) == 5
    assert opened == dict.fromkeys(names, 2)
