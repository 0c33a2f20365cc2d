"""How the golden project file was made, one for each version of the tables.

Run once for a new version, from the root of the source tree:
PYTHONPATH=.:tests python tests/golden/make_projects.py. It never writes a file again that is there.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.measures import Measure
from clipsvd_app.domain.project_values import NewImage, SeriesFlag
from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.project import create_project
from clipsvd_app.project.changes import (
    AddImages,
    SetLabels,
    SetMarks,
    SetSeriesFlags,
    SetSeriesWindows,
    SetView,
)
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.project.measure_changes import SetMeasures
from clipsvd_app.project.schema import VERSION

GOLDEN = Path(__file__).parent / f"project_format{VERSION}.clipsvd"


def slice_of(number: int) -> NewImage:
    """Return one slice of a made-up series."""
    return NewImage("p", "st", "se", f"{number:064x}", f"/ct/{number}.dcm", 0, "CT", "CHEST", 64, 48, number)


def main() -> None:
    """Write a project with something in every kind of table."""
    assert not GOLDEN.exists(), "a golden file is made once"
    with tempfile.TemporaryDirectory() as room, create_project(Path(room) / "golden") as project:
        project.apply(AddImages(tuple(slice_of(number) for number in range(3))))
        project.apply(AddClass(class_from_name("cyst")))
        (known,) = project.classes()
        first, second, third = (image.id for image in project.images())
        project.apply(SetLabels({first: known.id}))
        project.apply(SetMarks({third: "uncertain"}))
        project.apply(SetView(second, Window(40.0, 400.0), Crop(0.25, 0.25, 0.5, 0.5)))
        project.apply(SetSeriesFlags({"se": (SeriesFlag("missing_slices", "1 slice is missing.", 1),)}))
        project.apply(SetSeriesWindows({"se": Window(500.0, 1000.0, "LINEAR_EXACT")}))
        ellipse = Measure("ellipse", ((10.5, 20.0), (30.0, 44.25)))
        project.apply(SetMeasures(first, (Measure("distance", ((1.5, 2.5), (4.5, 6.5))), ellipse)))
        project.close()
        with contextlib.closing(sqlite3.connect(project.path)) as plain:
            plain.execute("PRAGMA journal_mode = DELETE")
            plain.execute("VACUUM")
        shutil.copyfile(project.path, GOLDEN)


if __name__ == "__main__":
    main()
