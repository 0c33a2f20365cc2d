"""DICOM files written for the tests, element by element."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian


@pytest.fixture
def write_dicom(tmp_path):
    """Write stored pixels (frames, rows, columns[, 3]) or (rows, columns) as a DICOM file."""

    def write(pixels: np.ndarray, name: str = "image.dcm", syntax=ExplicitVRLittleEndian, **elements) -> Path:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = "1.2.3.4"
        meta.TransferSyntaxUID = syntax
        implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
        dataset = FileDataset(
            str(tmp_path / name),
            {},
            file_meta=meta,
            preamble=b"\x00" * 128,
            is_implicit_VR=implicit,
            is_little_endian=little,
        )
        dataset.SOPClassUID = CTImageStorage
        dataset.SOPInstanceUID = "1.2.3.4"
        dataset.Modality = "MR"
        _describe_pixels(dataset, pixels)
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
        path = tmp_path / name
        dataset.save_as(path, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
        return path

    return write


def _describe_pixels(dataset: Dataset, pixels: np.ndarray) -> None:
    colour = pixels.ndim >= 3 and pixels.shape[-1] == 3
    frames = pixels if pixels.ndim == (4 if colour else 3) else pixels[np.newaxis]
    dataset.NumberOfFrames = len(frames)
    dataset.Rows, dataset.Columns = frames.shape[1:3]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    data = pixels.tobytes()
    if pixels.dtype.kind == "f":
        keyword = "FloatPixelData" if pixels.dtype.itemsize == 4 else "DoubleFloatPixelData"
        setattr(dataset, keyword, data)
        return
    dataset.BitsStored = dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = data + b"\x00" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"


@pytest.fixture
def bundled():
    """Find a test file that travels with pydicom; never fetches one."""

    def find(name: str) -> Path:
        found = get_testdata_file(name, download=False)
        if found is None:
            pytest.skip(f"pydicom does not carry {name}")
        return Path(found)

    return find
