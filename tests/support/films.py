"""Small DICOM films and CT slices of made-up patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from pathlib import Path


def film(path: Path, patient_id: str, seed: int, study: str | None = None, date: str = "20240506") -> Path:
    """Write a film of noise; the same seed gives the same pixels."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = (
        meta.MediaStorageSOPClassUID,
        meta.MediaStorageSOPInstanceUID,
    )
    dataset.PatientID, dataset.PatientName, dataset.Modality = patient_id, "DOE^JANE", "DX"
    dataset.PatientBirthDate, dataset.StudyDate = "19500102", date
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study or generate_uid(), generate_uid()
    pixels = np.random.default_rng(seed).integers(0, 4096, (32, 24), dtype=np.uint16)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = pixels.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def ct_slices(folder: Path, places, **changes) -> list[Path]:
    """CT slices of one series at these places along the body, file names against the order."""
    paths = []
    for number, place in enumerate(places):
        path = film(folder / f"{len(places) - number:03d}.dcm", "A", number, study="1.2.3")
        dataset = pydicom.dcmread(path)
        dataset.Modality, dataset.SeriesInstanceUID = "CT", "1.2.3.4"
        dataset.ImagePositionPatient = ["0", "0", str(float(place))]
        dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        for keyword, value in changes.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)
        paths.append(path)
    return paths
