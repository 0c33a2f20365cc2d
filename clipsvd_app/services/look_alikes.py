"""Images that show nearly the same picture, by their perceptual hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.services.grouping import NEAR_BITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.study import ProjectImage

_BLOCK = 512


def look_alikes(images: Sequence[ProjectImage]) -> dict[int, tuple[int, ...]]:
    """Return, for each image that has some, the images of other files that look nearly the same.

    Only single pictures carry a hash; two slices of one series are alike by nature and none.
    """
    hashed = [image for image in images if image.near_hash]
    values = np.array([int(image.near_hash, 16) for image in hashed], dtype=np.uint64)
    alike: dict[int, tuple[int, ...]] = {}
    for start in range(0, len(hashed), _BLOCK):
        near = np.bitwise_count(values[start : start + _BLOCK, None] ^ values[None, :]) <= NEAR_BITS
        for row in np.flatnonzero(near.sum(axis=1) > 1):
            image = hashed[start + row]
            others = (hashed[place] for place in np.flatnonzero(near[row]))
            if ids := tuple(other.id for other in others if other.sha256 != image.sha256):
                alike[image.id] = ids
    return alike


class LookAlikes:
    """Remembers the answer for as long as no image is added or taken away."""

    def __init__(self) -> None:
        self._of: tuple[tuple[int, str], ...] = ()
        self._found: dict[int, tuple[int, ...]] = {}

    def of(self, images: Sequence[ProjectImage]) -> dict[int, tuple[int, ...]]:
        """Return the look-alikes of each image that has some."""
        asked = tuple((image.id, image.near_hash) for image in images if image.near_hash)
        if asked != self._of:
            self._of, self._found = asked, look_alikes(images)
        return self._found
