from __future__ import annotations

import subprocess
import sys


def test_the_readers_libraries_load_on_first_use_only(repository):
    slow = {"pydicom", "SimpleITK", "pebble", "torch", "PySide6", "gdcm"}
    script = f"import sys, clipsvd_app.imaging; print(sorted({slow!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(repository)!r}); {script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
