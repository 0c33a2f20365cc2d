"""Where the files that travel with the program lie: in the wheel, or beside the source."""

from __future__ import annotations

from pathlib import Path

_IN_WHEEL = Path(__file__).parent / "_resources"
_IN_SOURCE = Path(__file__).parent.parent / "resources"


def resource_path(*parts: str) -> Path:
    """Return the path of a bundled file or folder, for example ``resource_path("icons", "app.svg")``."""
    root = _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_SOURCE
    return root.joinpath(*parts)
