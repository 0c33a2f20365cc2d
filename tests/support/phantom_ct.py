"""A drawn chest CT as DICOM files: body, lungs, spine and one nodule, made in a moment at any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

if TYPE_CHECKING:
    from pathlib import Path

ROOT = "1.2.826.0.1.3680043.8.498"


def chest(slices: int, side: int) -> np.ndarray:
    """Return (slices, side, side) Hounsfield units, feet first, the patient's right on the left."""
    z, y, x = np.meshgrid(
        np.linspace(-1, 1, slices), np.linspace(-1, 1, side), np.linspace(-1, 1, side), indexing="ij"
    )

    def ball(cz, cy, cx, rz, ry, rx):
        return ((z - cz) / rz) ** 2 + ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1

    hu = np.full(z.shape, -1000.0)
    taper = 1 - 0.25 * np.clip(z, 0, 1) ** 2
    hu[(x / (0.85 * taper)) ** 2 + (y / (0.6 * taper)) ** 2 < 1] = -90
    hu[(x / (0.78 * taper)) ** 2 + (y / (0.53 * taper)) ** 2 < 1] = 45
    for centre in (-0.38, 0.38):
        hu[ball(0.1, -0.02, centre, 0.8, 0.4, 0.3)] = -850
    hu[ball(-0.15, -0.08, 0.08, 0.45, 0.26, 0.28)] = 60
    hu[(x**2 + (y - 0.36) ** 2 < 0.11**2)] = 500
    hu[(x**2 + (y - 0.36) ** 2 < 0.06**2)] = 30
    hu[ball(0.3, 0.05, -0.42, 0.09, 0.06, 0.06)] = 35
    ribs = np.abs((z * 6 + 1.2 * y) % 1 - 0.5) < 0.13
    shell = np.abs((x / (0.72 * taper)) ** 2 + (y / (0.48 * taper)) ** 2 - 1) < 0.09
    hu[ribs & shell] = 420
    noise = np.random.default_rng(3).normal(0, 14, z.shape)
    return np.clip(hu + noise, -1024, 3000)


def write_series(
    folder: Path,
    hu: np.ndarray,
    *,
    series: int = 1,
    spacing_mm: tuple[float, float, float] = (5.0, 1.4, 1.4),
    study: int = 1,
    gain: float = 1.0,
    space: str = "",
) -> list[Path]:
    """Write axial slices; the file names run the other way than the positions."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, image in enumerate(hu):
        path = folder / f"{len(hu) - number:04d}.dcm"
        item = _slice(image * gain, number, series, study, spacing_mm)
        if space:
            item.FrameOfReferenceUID = f"{ROOT}.{space}"
        item.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _slice(image, number: int, series: int, study: int, spacing_mm) -> Dataset:
    gap, row_mm, column_mm = spacing_mm
    item = Dataset()
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID = CTImageStorage
    uid = f"{ROOT}.{study}.{series}.{number + 1}"
    item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID = uid
    item.StudyInstanceUID, item.SeriesInstanceUID = f"{ROOT}.{study}", f"{ROOT}.{study}.{series}"
    item.PatientID, item.PatientName = f"phantom {study}", "Phantom"
    item.Modality, item.BodyPartExamined = "CT", "CHEST"
    item.InstanceNumber = number + 1
    item.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    item.ImagePositionPatient = [0, 0, gap * number]
    item.PixelSpacing = [row_mm, column_mm]
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.Rows, item.Columns = image.shape
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 16, 15, 1
    item.RescaleSlope, item.RescaleIntercept = 1, 0
    item.WindowCenter, item.WindowWidth = 40, 400
    item.PixelData = image.round().astype("<i2").tobytes()
    return item
