"""The examination that a DICOM file belongs to: shown while the file is available, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.imaging.dicom.dataset import reading, refuse_inflation
from clipsvd_app.imaging.dicom.elements import code, text
from clipsvd_app.imaging.signature import sniff

if TYPE_CHECKING:
    from pathlib import Path

_ELEMENTS = ("StudyDate", "Modality", "StudyDescription", "SeriesDescription")


@dataclass(frozen=True, slots=True)
class Examination:
    """Date, modality and descriptions (PS3.3 C.7.2.1, C.7.3.1); empty where the file does not state them.

    date: ISO 8601. study, series: their descriptions.
    """

    date: str = ""
    modality: str = ""
    study: str = ""
    series: str = ""


def read_examination(path: Path) -> Examination:
    """Read the few elements, as far as they can be read; files that are no DICOM say nothing.

    Refuses what cannot be opened.
    """
    from pydicom import dcmread

    if sniff(path) != "DICOM":
        return Examination()
    with reading(path):
        refuse_inflation(path)
        found = dcmread(path, stop_before_pixels=True, specific_tags=[*_ELEMENTS], force=True)
        date, modality, study, series = (" ".join(text(found, word).split()) for word in _ELEMENTS)
        return Examination(_iso(date), modality and code(found, "Modality"), study, series)


def _iso(date: str) -> str:
    """Return 20240506 as 2024-05-06, "" for what is no date."""
    digits = date.replace(".", "").replace("-", "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}" if len(digits) >= 8 and digits[:8].isdigit() else ""
