"""How fast studies are read, each measure beside what other libraries take for the same files.

Runs take turns, so that a busy moment is shared, and medians count. Libraries are loaded before and the
files are in the page cache. Everything runs in one thread.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clipsvd_app.jobs.lines import Report


@dataclass(frozen=True, slots=True)
class ImportBench:
    """Files a second through a whole import: found, read, hashed, grouped, arranged, stored in a project.

    pydicom_files_per_s: of a plain loop over the headers, which does none of the rest.
    """

    files: int
    files_per_s: float
    pydicom_files_per_s: float
    runs: int


@dataclass(frozen=True, slots=True)
class SeriesBench:
    """Seconds until a series is one block in memory, in order and judged, as the three planes read it.

    The other libraries give the volume only, each by the idiom of its documentation.
    """

    slices: int
    series_s: float
    pydicom_series_s: float
    simpleitk_series_s: float
    threads: int
    runs: int


def bench_import(folder: Path, runs: int, report: Report) -> ImportBench:
    """Import a folder into new projects, in turn with a plain loop over its headers."""
    from clipsvd_app.imaging.files.discovery import find_files

    files = find_files([folder])
    _refuse_none(files, folder)
    seconds = _in_turn(
        {"import": lambda: _import(folder), "pydicom": lambda: _pydicom_headers(files)}, runs, report
    )
    return ImportBench(
        files=len(files),
        files_per_s=len(files) / seconds["import"],
        pydicom_files_per_s=len(files) / seconds["pydicom"],
        runs=runs,
    )


def bench_series(folder: Path, runs: int, report: Report) -> SeriesBench:
    """Load the series in a folder, in turn with pydicom and SimpleITK."""
    import SimpleITK

    from clipsvd_app.imaging.files.discovery import find_files
    from clipsvd_app.imaging.reading import read_header
    from clipsvd_app.imaging.series.volume import read_stack

    files = find_files([folder])
    _refuse_none(files, folder)
    slices = [(file, frame) for file in files for frame in range(read_header(file).frames)]
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    seconds = _in_turn(
        {
            "ours": lambda: read_stack(slices, lambda _done, _all: None),
            "pydicom": lambda: _pydicom_series(files),
            "simpleitk": lambda: _simpleitk_series(folder),
        },
        runs,
        report,
    )
    return SeriesBench(
        slices=len(slices),
        series_s=seconds["ours"],
        pydicom_series_s=seconds["pydicom"],
        simpleitk_series_s=seconds["simpleitk"],
        threads=1,
        runs=runs,
    )


def _in_turn(forms: Mapping[str, Callable[[], object]], runs: int, report: Report) -> dict[str, float]:
    """Return median seconds by form, after one run of each that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in forms}
    for run in range(runs + 1):
        for place, (name, form) in enumerate(forms.items()):
            report("Timing", run * len(forms) + place, (runs + 1) * len(forms))
            started = time.perf_counter()
            form()
            taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}


def _import(folder: Path) -> None:
    from clipsvd_app.project import create_project
    from clipsvd_app.services.studies.import_plan import apply_import, plan_import

    with tempfile.TemporaryDirectory() as place, create_project(Path(place, "bench")) as project:
        project.apply(apply_import(project, plan_import(project, [folder])))


def _pydicom_headers(files: Sequence[Path]) -> None:
    from pydicom import dcmread

    for file in files:
        dcmread(file, stop_before_pixels=True)


def _pydicom_series(files: Sequence[Path]) -> object:
    from pydicom import dcmread

    slices = sorted((dcmread(file) for file in files), key=lambda found: found.ImagePositionPatient[2])
    return np.stack([found.pixel_array for found in slices])


def _simpleitk_series(folder: Path) -> object:
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return SimpleITK.GetArrayViewFromImage(reader.Execute())


def _refuse_none(files: Sequence[Path], folder: Path) -> None:
    if not files:
        raise UserError(
            f"No image file in “{folder.name}”.",
            remedy="Choose a folder with the DICOM files of one series.",
            code="nothing_found",
        )
