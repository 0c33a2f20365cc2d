"""Names for DICOM objects that are not images, with and without pixels (PS3.3 C.7.3.1.1.1, PS3.4 B.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.imaging.dicom.elements import code, text, texts, whole

if TYPE_CHECKING:
    from clipsvd_app.imaging.dicom.elements import Dataset

_STORAGE = "1.2.840.10008.5.1.4."
_BY_CLASS = {
    "1.1.66.4": "a segmentation",
    "1.1.66.5": "a surface segmentation",
    "1.1.66.7": "a label map segmentation",
    "1.1.66.1": "a registration",
    "1.1.66.3": "a registration",
    "1.1.66.2": "a set of fiducials",
    "1.1.67": "a set of value mappings",
    "1.1.481.2": "a radiotherapy dose grid",
    "1.1.481.3": "a set of radiotherapy contours",
    "1.1.481.5": "a radiotherapy plan",
    "1.1.481.8": "a radiotherapy plan",
    "39.1": "a colour palette",
    "1.1.104.1": "a PDF document",
}
_BY_CLASS_FAMILY = {
    "1.1.88.": "a structured report",
    "1.1.11.": "a presentation state",
    "1.1.9.": "a waveform",
    "1.1.104.": "a document",
}
_BY_MODALITY = {
    "SR": "a structured report",
    "SEG": "a segmentation",
    "RTSTRUCT": "a set of radiotherapy contours",
    "RTPLAN": "a radiotherapy plan",
    "RTDOSE": "a radiotherapy dose grid",
    "RTRECORD": "a radiotherapy record",
    "PR": "a presentation state",
    "KO": "a key object selection",
    "REG": "a registration",
    "FID": "a set of fiducials",
    "ECG": "a waveform",
    "HD": "a waveform",
    "EPS": "a waveform",
    "DOC": "a document",
    "M3D": "a 3D model",
}


_WHOLE_SLIDE = "1.1.77.1.6"


def object_name(dataset: Dataset) -> str:
    """Return what an object that is no image is called, "" for all others.

    Of a whole slide the thumbnail, the overview and a level in one piece are images. A level in tiles is
    none, because its frames are pieces; nor is the photograph of the slide's label, which shows who the
    patient is.
    """
    short = text(dataset, "SOPClassUID").removeprefix(_STORAGE)
    if short == _WHOLE_SLIDE:
        return _part_of_a_slide(dataset)
    family = next((name for start, name in _BY_CLASS_FAMILY.items() if short.startswith(start)), "")
    return _BY_CLASS.get(short) or _BY_MODALITY.get(code(dataset, "Modality"), "") or family


def may_show_a_slide_label(dataset: Dataset) -> bool:
    """Say whether an image shows a whole glass slide, which may bear a label with a name."""
    if text(dataset, "SOPClassUID").removeprefix(_STORAGE) != _WHOLE_SLIDE:
        return False
    return not {"LABEL", "OVERVIEW"}.isdisjoint(texts(dataset, "ImageType"))


def _part_of_a_slide(dataset: Dataset) -> str:
    if "LABEL" in texts(dataset, "ImageType"):
        return "the label of a whole slide"
    tiles = whole(dataset, "NumberOfFrames", 1)
    if tiles > 1:
        return f"one level of a whole slide in {tiles:,} tiles"
    rows, columns = whole(dataset, "TotalPixelMatrixRows", 0), whole(dataset, "TotalPixelMatrixColumns", 0)
    is_piece = rows > whole(dataset, "Rows", rows) or columns > whole(dataset, "Columns", columns)
    return "one tile of a whole slide" if is_piece else ""
