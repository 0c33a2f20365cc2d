"""A tiny backbone and a set of striped pictures that it can learn to tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from support.tiny_backbone import IMAGE_SIZE, write_tiny_backbone

from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.engine.backbone.backbone import Backbone, load_backbone
from clipsvd_app.engine.data.examples import Examples
from clipsvd_app.engine.data.features import embed_squares
from clipsvd_app.engine.data.images import model_square
from clipsvd_app.engine.sigma.basis import Basis, load_basis
from clipsvd_app.jobs.lines import unreported
from clipsvd_app.jobs.requests import ImageInput

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = (class_from_name("bright disc"), class_from_name("dark disc"))


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_backbone(tmp_path_factory.mktemp("backbones") / "tiny")


@pytest.fixture(scope="session")
def backbone(tiny_folder: Path) -> Backbone:
    return load_backbone(tiny_folder)


@pytest.fixture(scope="session")
def basis(backbone: Backbone) -> Basis:
    return load_basis(backbone, lambda *_: None)


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageInput, ...]:
    """Eight patients with two images each; the label is the disc's grey, in noise."""
    folder = tmp_path_factory.mktemp("studies")
    generator = np.random.default_rng(0)
    inputs = []
    for place in range(16):
        label = place // 2 % 2
        path = folder / f"{place}.png"
        Image.fromarray(disc(label, generator)).save(path)
        inputs.append(ImageInput(place + 1, str(path), 0, f"patient {place // 2}", label))
    return tuple(inputs)


def disc(label: int, generator: np.random.Generator) -> np.ndarray:
    grey = generator.normal(110, 12, size=(80, 72))
    row, column = np.mgrid[:80, :72]
    centre = generator.integers(28, 44, size=2)
    inside = (row - centre[0]) ** 2 + (column - centre[1]) ** 2 < 18**2
    grey[inside] += -80 if label else 80
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture(scope="session")
def disc_classes() -> tuple[ClassSpec, ...]:
    return CLASSES


@pytest.fixture(scope="session")
def disc_examples(backbone: Backbone) -> Examples:
    """Twelve labelled discs of six patients, as a fit takes them."""
    generator = np.random.default_rng(1)
    labels = tuple(place % 2 for place in range(12))
    pictures = [disc(label, generator) for label in labels]
    plain = torch.stack([model_square(picture, IMAGE_SIZE) for picture in pictures])
    return Examples(
        torch.stack([model_square(picture, 74) for picture in pictures]),
        plain,
        embed_squares(backbone.model, backbone, plain, unreported),
        labels,
        tuple(f"patient {place // 2}" for place in range(12)),
    )


@pytest.fixture(scope="session")
def draw_disc():
    """Draw a disc of one class with a random generator."""
    return disc
