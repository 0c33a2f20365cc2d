"""Images that look nearly the same, by their perceptual hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.domain.project_values import relabelled
from clipsvd_app.services.studies.patient_rules import NEAR_BITS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from clipsvd_app.domain.project_values import NewImage, ProjectImage

# Rows compared with all others at a time: 512 x 20,000 differences of 64 bits are 82 MB, all at once 3.2 GB.
_BLOCK = 512
_QUICK = 2000  # every image is compared with every other: 15 ms
ONE_PICTURE_BITS = 1
"""Hashes of one image differ by at most this. No two patients' did among 1,000 chest films."""


def look_alikes(images: Sequence[ProjectImage]) -> dict[int, tuple[int, ...]]:
    """Return, for each image that has some, the images of other files that look nearly the same.

    Only single images have a hash: slices of one series look alike by nature.
    """
    hashed = [image for image in images if image.near_hash]
    values = _values(hashed)
    alike: dict[int, tuple[int, ...]] = {}
    for start in range(0, len(hashed), _BLOCK):
        near = np.bitwise_count(values[start : start + _BLOCK, None] ^ values[None, :]) <= NEAR_BITS
        for row in np.flatnonzero(near.sum(axis=1) > 1):
            image = hashed[start + row]
            others = (hashed[place] for place in np.flatnonzero(near[row]))
            if ids := tuple(other.id for other in others if other.sha256 != image.sha256):
                alike[image.id] = ids
    return alike


def opposite_labels(
    images: Sequence[ProjectImage], class_of: Mapping[int, str | int], new: Collection[int] | None = None
) -> int:
    """Count pairs of images that look nearly the same and are of different classes.

    new: count only pairs with at least one of these images; None counts all.
    """
    alike = look_alikes([image for image in images if image.id in class_of])
    return sum(
        class_of[one] != class_of[other] and (new is None or one in new or other in new)
        for one, others in alike.items()
        for other in others
        if one < other
    )


def under_two_patients(new: Sequence[NewImage], known: Sequence[ProjectImage]) -> int:
    """Count new images that are the same as an image of another patient, new or known."""
    hashed = [image for image in new if image.near_hash]
    others: list[NewImage | ProjectImage] = [*hashed, *(image for image in known if image.near_hash)]
    patients = np.unique([image.patient_key for image in others], return_inverse=True)[1]
    values, count = _values(others), 0
    for start in range(0, len(hashed), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(hashed)))
        near = np.bitwise_count(values[rows, None] ^ values[None, :]) <= ONE_PICTURE_BITS
        count += int((near & (patients[rows, None] != patients[None, :])).any(axis=1).sum())
    return count


def _values(images: Sequence[ProjectImage | NewImage]) -> NDArray[np.uint64]:
    return np.array([int(image.near_hash, 16) for image in images], dtype=np.uint64)


class LookAlikes:
    """Caches the look-alikes until an image is added or removed."""

    def __init__(self) -> None:
        self._images: Sequence[ProjectImage] = ()
        self.found: dict[int, tuple[int, ...]] = {}

    def is_slow(self, images: Sequence[ProjectImage]) -> bool:
        """Whether `of` would compare so many images that it is better asked in a thread."""
        known = relabelled(self._images, images) is not None
        return not known and sum(bool(image.near_hash) for image in images) > _QUICK

    def of(self, images: Sequence[ProjectImage]) -> dict[int, tuple[int, ...]]:
        """Return the look-alikes of each image that has some."""
        if relabelled(self._images, images) is None:
            self.found = look_alikes(images)
        self._images = images
        return self.found
