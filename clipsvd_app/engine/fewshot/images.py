"""The images of a benchmark: one folder for each class, or a MedMNIST file, whatever its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from clipsvd_app.domain.classes import clean_name
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.engine.data.features import embed_squares
from clipsvd_app.engine.data.images import model_square, training_side
from clipsvd_app.engine.training.labelled_images import LabelledImages, read_labelled_images
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import ImageInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.jobs.lines import Report

IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm", ".dicom"))


@dataclass(frozen=True, slots=True)
class BenchImages:
    """All images of a data set, labelled, with the names of the classes."""

    name: str
    class_names: tuple[str, ...]
    images: LabelledImages


@dataclass(frozen=True, slots=True)
class FolderRules:
    """Which files of a class folder are used, and where their names hold the patient (first group)."""

    named_patient: re.Pattern[str] | None
    include: re.Pattern[str] | None

    def takes(self, path: Path) -> bool:
        """Return whether a file is used."""
        return path.suffix.lower() in IMAGE_SUFFIXES and (
            self.include is None or self.include.search(path.name) is not None
        )

    def patient(self, path: Path) -> str:
        """Return the patient in a file's name, or the file itself where there is none."""
        found = None if self.named_patient is None else self.named_patient.search(path.name)
        return f"file {path.parent.name}/{path.name}" if found is None else f"patient {found.group(1)}"


def folder_rules(group_regex: str | None, include_regex: str | None) -> FolderRules:
    """Compile the expressions; a malformed one, or one for patients without a group, is refused."""
    patient = _compiled(group_regex)
    if patient is not None and patient.groups < 1:
        raise UserError(
            f"The regular expression “{group_regex}” has no group.",
            remedy="Put the patient part of the file name in parentheses.",
            code="bad_regex",
        )
    return FolderRules(patient, _compiled(include_regex))


def read_bench_images(
    root: Path,
    rules: FolderRules,
    splits: Sequence[str],
    class_names: Sequence[str],
    warm: WarmBackbone,
    report: Report,
) -> BenchImages:
    """Read a folder of class folders, or the named splits of a MedMNIST file, which names no classes."""
    if root.is_dir():
        return _from_folder(root, rules, warm, report)
    return _from_arrays(root, splits, class_names, warm, report)


def require_data_set(root: Path) -> None:
    """Refuse anything but a folder or an npz file, before the backbone is loaded for it."""
    if not root.is_dir() and not (root.suffix == ".npz" and root.is_file()):
        raise UserError(
            f"“{root.name}” is neither a folder with class folders nor a MedMNIST file.",
            remedy="Choose a folder with one folder per class, or a .npz file.",
            code="no_data_set",
        )


def _from_folder(root: Path, rules: FolderRules, warm: WarmBackbone, report: Report) -> BenchImages:
    inputs: list[ImageInput] = []
    names: list[str] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.iterdir() if path.is_file() and rules.takes(path))
        if not files:
            continue
        for path in files:
            inputs.append(ImageInput(len(inputs), str(path), 0, rules.patient(path), len(names)))
        names.append(clean_name(folder.name))
    return BenchImages(root.resolve().name, tuple(names), read_labelled_images(warm.features, inputs, report))


def _from_arrays(
    file: Path, splits: Sequence[str], class_names: Sequence[str], warm: WarmBackbone, report: Report
) -> BenchImages:
    arrays, labels = _arrays(file, splits)
    kinds = sorted(set(labels))
    names = tuple(class_names) or tuple(f"class {kind}" for kind in kinds)
    if len(names) != len(kinds):
        raise UserError(
            f"“{file.name}” has {counted(len(kinds), 'class', 'classes')},"
            f" and {counted(len(names), 'name was', 'names were')} given.",
            remedy="Give one name per class, in the order of the labels.",
            code="bad_class_names",
        )
    backbone, preprocessing = warm.backbone, warm.backbone.preprocessing
    method = preprocessing.interpolation
    plain = torch.stack([model_square(array, preprocessing.size, method) for array in arrays])
    side = training_side(preprocessing)
    larger = {place: model_square(array, side, method) for place, array in enumerate(arrays)}
    inputs = tuple(
        ImageInput(place, "", 0, f"image {place}", kinds.index(label)) for place, label in enumerate(labels)
    )
    features = embed_squares(backbone.model, backbone, plain, report)
    images = LabelledImages(backbone, inputs, plain, features, (), larger)
    return BenchImages(file.stem, names, images)


def _arrays(file: Path, splits: Sequence[str]) -> tuple[list[NDArray[np.uint8]], list[int]]:
    try:
        with np.load(file, allow_pickle=False) as stored:
            images = [stored[f"{split}_images"] for split in splits]
            labels = [stored[f"{split}_labels"] for split in splits]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"“{file.name}” does not contain the parts {', '.join(splits)} of a MedMNIST file.",
            remedy="Set --splits to existing parts, for example test.",
            code="no_data_set",
        ) from error
    arrays = [_as_rgb(image) for part in images for image in part]
    return arrays, [int(label) for part in labels for label in np.asarray(part).reshape(len(part), -1)[:, 0]]


def _as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image


def _compiled(expression: str | None) -> re.Pattern[str] | None:
    if expression is None:
        return None
    try:
        return re.compile(expression)
    except re.error as error:
        raise UserError(
            f"“{expression}” is not a regular expression.", remedy=f"Fix it: {error}.", code="bad_regex"
        ) from error
