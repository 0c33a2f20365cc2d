"""One phantom film as a DICOM file: Digital X-Ray Image Storage - For Presentation (PS3.3 A.26)."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

if TYPE_CHECKING:
    import numpy.typing as npt

BITS_STORED: Final = 12
IMAGE_COMMENTS: Final = "Synthetic phantom for trying the program; not a patient."
# The film uses part of the stored range, so that the window in the header has something to say.
_BLACK, _WHITE, _TOP = 120, 3920, 2**BITS_STORED - 1
_NAMESPACE = uuid.UUID("6f2c5a34-8a5e-5d0b-9f0a-3d6a0d1c7b52")


@dataclass(frozen=True, slots=True)
class FilmHeader:
    """Where a film belongs: numbers count from 1, spacing is in mm."""

    seed: int
    patient: int
    study: int
    series: int
    image: int
    spacing_mm: float
    inverted: bool


def stored_pixels(film: npt.NDArray[np.float32], *, inverted: bool) -> npt.NDArray[np.uint16]:
    """Return 12-bit stored values of a film (0 to 1, dense bright); inverted ones are for MONOCHROME1."""
    values = np.rint(_BLACK + film * (_WHITE - _BLACK)).astype(np.uint16)
    return _TOP - values if inverted else values


def displayed_grey(pixels: npt.NDArray[np.uint16], *, inverted: bool) -> npt.NDArray[np.uint8]:
    """Return the greys that the header's window shows (PS3.3 C.11.2.1.2.1, then the inversion)."""
    centre, width = window(inverted=inverted)
    share = (pixels.astype(np.float64) - (centre - 0.5)) / (width - 1.0) + 0.5
    grey = np.rint(np.clip(share, 0.0, 1.0) * 255.0)
    return (255.0 - grey if inverted else grey).astype(np.uint8)


def window(*, inverted: bool) -> tuple[float, float]:
    """Return window centre and width in stored values: the whole film and no more."""
    low, high = (_TOP - _WHITE, _TOP - _BLACK) if inverted else (_BLACK, _WHITE)
    return (low + high + 1) / 2, float(high - low + 1)


def encode(pixels: npt.NDArray[np.uint16], header: FilmHeader) -> bytes:
    """Return the bytes of the DICOM file; the same pixels and header give the same bytes."""
    dataset = Dataset()
    dataset.file_meta = _file_meta(header)
    _patient_and_study(dataset, header)
    _series_and_equipment(dataset, header)
    _acquisition(dataset, header)
    _pixels(dataset, pixels, header)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _uid(*parts: object) -> str:
    """Return a UID under the root for UUIDs (PS3.5 B.2) that depends on the parts only."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(map(str, parts))).int}"


def _instance_uid(header: FilmHeader) -> str:
    return _uid(header.seed, header.patient, header.study, header.series, header.image)


def _file_meta(header: FilmHeader) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = _instance_uid(header)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # Fixed, so that a newer library does not change the bytes.
    meta.ImplementationClassUID = _uid("implementation")
    meta.ImplementationVersionName = "CLIPSVD_DEMO_1"
    return meta


def _patient_and_study(dataset: Dataset, header: FilmHeader) -> None:
    dataset.PatientName = f"DEMO^SYNTHETIC {header.patient:03d}"
    dataset.PatientID = f"DEMO-{header.patient:03d}"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ""
    # Nobody was ever identified here; saying so lets the files pass gates meant for real ones.
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Drawn by a program; there never was a patient."
    dataset.StudyInstanceUID = _uid(header.seed, header.patient, header.study)
    dataset.StudyDate = ""
    dataset.StudyTime = ""
    dataset.StudyID = str(header.study)
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = "Chest PA (synthetic)"


def _series_and_equipment(dataset: Dataset, header: FilmHeader) -> None:
    dataset.Modality = "DX"
    dataset.SeriesInstanceUID = _uid(header.seed, header.patient, header.study, header.series)
    dataset.SeriesNumber = header.series
    dataset.SeriesDescription = "PA"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = "CLIP-SVD Studio"
    dataset.ManufacturerModelName = "Demo chest phantom"
    dataset.SoftwareVersions = "1"
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = _instance_uid(header)
    dataset.InstanceNumber = header.image
    dataset.ImageComments = IMAGE_COMMENTS


def _acquisition(dataset: Dataset, header: FilmHeader) -> None:
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.ImageLaterality = "U"
    dataset.AnatomicRegionSequence = ItemSequence([_code("51185008", "SCT", "Chest")])
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.BurnedInAnnotation = "YES"
    dataset.LossyImageCompression = "00"
    dataset.DetectorType = ""
    dataset.PositionerType = ""
    dataset.AcquisitionContextSequence = ItemSequence([])
    spacing = [f"{header.spacing_mm:.4f}"] * 2
    dataset.ImagerPixelSpacing = spacing
    dataset.PixelSpacing = spacing


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _pixels(dataset: Dataset, pixels: npt.NDArray[np.uint16], header: FilmHeader) -> None:
    centre, width = window(inverted=header.inverted)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if header.inverted else "MONOCHROME2"
    dataset.PresentationLUTShape = "INVERSE" if header.inverted else "IDENTITY"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = 16
    dataset.BitsStored = BITS_STORED
    dataset.HighBit = BITS_STORED - 1
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if header.inverted else -1
    dataset.RescaleIntercept = "0"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "US"
    dataset.WindowCenter = f"{centre:g}"
    dataset.WindowWidth = f"{width:g}"
    dataset.PixelData = pixels.astype("<u2").tobytes()
