"""How the files of a run are called."""

from __future__ import annotations

from typing import Final

SIGMA_SUFFIX: Final = ".sigma.safetensors"
CLASSIFIER_SUFFIX: Final = ".classifier.safetensors"
SUFFIXES: Final = (SIGMA_SUFFIX, CLASSIFIER_SUFFIX)
EITHER: Final = " or ".join(SUFFIXES)
FILE_FILTER: Final = f"Adapters and classifiers (*{SIGMA_SUFFIX} *{CLASSIFIER_SUFFIX})"


def file_name(project: str, run: int, suffix: str) -> str:
    """Return what a file of a run is called where the user gives no name."""
    return f"{project}-run{run}{suffix}"
