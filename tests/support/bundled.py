"""Where the images lie that travel with pydicom and pydicom-data."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pydicom


def bundled_folders() -> tuple[Path, Path]:
    """Return the folders of pydicom and of pydicom-data, whose module is called data_store."""
    found = importlib.util.find_spec("data_store")
    assert found is not None, "pydicom-data is not installed"
    assert found.origin is not None
    return Path(pydicom.__file__).parent / "data", Path(found.origin).parent / "data"
