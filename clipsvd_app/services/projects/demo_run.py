"""The finished run that the window's demo includes: computed once, kept in the resources.

``packaging/demo_run.py`` trains on the films that the program draws and writes the file. The run belongs to
those films: it is added only to a project that has them byte for byte, with the same numbers and labels.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

from clipsvd_app.domain.records import from_json, to_json
from clipsvd_app.domain.results.run import RunResult
from clipsvd_app.resources import resource_path

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.project import Project

RUN_MEMBER, ADAPTER_MEMBER = "run.json", "adapter.safetensors"
# The least date that ZIP can hold. With the time of writing, the same run would give another file each time.
_SAME_BYTES_EACH_TIME = (1980, 1, 1, 0, 0, 0)


def demo_run_file() -> Path:
    """Return where the run of the demo lies among the resources."""
    return resource_path("demo_run", "run.zip")


def add_demo_run(project: Project) -> bool:
    """Add the stored run to a demo project; where the films differ, do nothing and return False.

    Films are drawn in floating point, so another kind of processor may draw one that differs in a bit.
    """
    with zipfile.ZipFile(demo_run_file()) as archive:
        kept = json.loads(archive.read(RUN_MEMBER))
        adapter = archive.read(ADAPTER_MEMBER)
    if kept["project"] != _identity(project):
        return False
    project.add_run(kept["preset"], kept["request"], from_json(RunResult, kept["result"]), adapter)
    return True


def write_demo_run(project: Project, number: int, target: Path) -> None:
    """Write a run of a demo project to a file; the same run gives the same bytes."""
    summary = project.run_summary(number)
    kept = {
        "project": _identity(project),
        "preset": summary.preset,
        "request": project.run_request(number) | {"job": ""},
        "result": to_json(project.run_result(number)),
    }
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in ((RUN_MEMBER, text.encode()), (ADAPTER_MEMBER, project.run_adapter(number))):
            archive.writestr(zipfile.ZipInfo(name, _SAME_BYTES_EACH_TIME), content, zipfile.ZIP_DEFLATED)


def _identity(project: Project) -> dict[str, Any]:
    """Return what a run depends on: the images with their numbers, patients and labels, and the classes."""
    names = {known.id: known.name for known in project.classes()}
    return {
        "classes": list(names.values()),
        "images": [
            [
                image.id,
                image.sha256,
                image.patient_number,
                None if image.class_id is None else names[image.class_id],
            ]
            for image in project.images()
        ],
    }
