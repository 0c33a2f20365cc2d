"""Which images the pool shows. Like its order, a filter holds still until the user asks again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.project_values import relabelled
from clipsvd_app.ui.label.state import FilterEntry, FilterState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.domain.project_values import Mark, ProjectClass, ProjectImage
    from clipsvd_app.jobs.answers import PoolItem, PreviewResult

CLASS_PREFIX = "class:"
DISAGREES = "disagrees"
UNLABELLED = "unlabelled"
_KINDS = {UNLABELLED: "Unlabelled", "uncertain": "Uncertain", "excluded": "Excluded"}
_MARKED: dict[Mark, frozenset[str]] = {
    "": frozenset({UNLABELLED}),
    "uncertain": frozenset({"uncertain"}),
    "excluded": frozenset({"excluded"}),
}
"""What an image without a class is to the filter, by its mark."""


@dataclass(frozen=True, slots=True)
class PoolFilter:
    """What is shown: images of any of these kinds whose file name holds ``name``; all where both are empty.

    ids: the images that fitted when it was asked for. known: the images there were then, so that one
    labelled since stays where it is, and one added since is judged by what it is.
    """

    kinds: frozenset[str] = frozenset()
    name: str = ""
    ids: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return bool(self.kinds or self.name)

    def asked_anew(
        self, images: Sequence[ProjectImage], kinds_of: Mapping[int, frozenset[str]]
    ) -> PoolFilter:
        """Return the same filter for what is known now."""
        fitting = frozenset(image.id for image in images if self._fits(image, kinds_of))
        return replace(self, ids=fitting, known=frozenset(image.id for image in images))

    def kept(
        self, images: Sequence[ProjectImage], kinds_of: Mapping[int, frozenset[str]]
    ) -> tuple[ProjectImage, ...]:
        """Return the images it lets through, in their order."""
        if not self.active:
            return tuple(images)
        return tuple(
            image
            for image in images
            if (image.id in self.ids if image.id in self.known else self._fits(image, kinds_of))
        )

    def is_stale(self, images: Sequence[ProjectImage], kinds_of: Mapping[int, frozenset[str]]) -> bool:
        """Whether it would let through other images if it were asked for now."""
        if not self.active:
            return False
        now = {image.id for image in images if self._fits(image, kinds_of)}
        return now != {image.id for image in self.kept(images, kinds_of)}

    def _fits(self, image: ProjectImage, kinds_of: Mapping[int, frozenset[str]]) -> bool:
        named = not self.name or has_name(image, self.name)
        return named and (not self.kinds or bool(self.kinds & kinds_of.get(image.id, frozenset())))


def has_name(image: ProjectImage, part: str) -> bool:
    """Whether the name of the image's file holds a text, whatever its case."""
    return part.casefold() in Path(image.path).name.casefold()


def kinds_by_image(
    images: Sequence[ProjectImage], positions: Mapping[int, int], preview: PreviewResult | None
) -> dict[int, frozenset[str]]:
    """Return which entries of the filter each image belongs to. positions: class position by class id."""
    return KindsByImage().of(images, positions, preview)


class KindsByImage:
    """Which entries of the filter each image belongs to; a label changes those of its image only."""

    def __init__(self) -> None:
        self._images: Sequence[ProjectImage] = ()
        self._positions: Mapping[int, int] = {}
        self._preview: PreviewResult | None = None
        self._predicted: dict[int, PoolItem] = {}
        self._found: dict[int, frozenset[str]] = {}

    def of(
        self, images: Sequence[ProjectImage], positions: Mapping[int, int], preview: PreviewResult | None
    ) -> dict[int, frozenset[str]]:
        """Return the entries by image. positions: class position by class id."""
        changed = relabelled(self._images, images) if positions == self._positions else None
        newer = preview is not self._preview
        if newer:
            self._predicted = {} if preview is None else {item.image_id: item for item in preview.items}
        self._images, self._positions, self._preview = images, positions, preview
        if changed is None:
            self._found = {image.id: self._kinds(image) for image in images}
        else:
            labelled = [image for image in images if image.class_id is not None] if newer else ()
            self._found.update({image.id: self._kinds(image) for image in (*changed, *labelled)})
        return self._found

    def _kinds(self, image: ProjectImage) -> frozenset[str]:
        if image.class_id is None:
            return _MARKED[image.mark]
        kinds = {f"{CLASS_PREFIX}{image.class_id}"}
        seen = self._predicted.get(image.id)
        if seen is not None and seen.probabilities:
            predicted = seen.probabilities.index(max(seen.probabilities))
            if predicted != self._positions.get(image.class_id):
                kinds.add(DISAGREES)
        return frozenset(kinds | _MARKED[image.mark] - {UNLABELLED})


def filter_state(
    chosen: PoolFilter,
    classes: Sequence[ProjectClass],
    kinds_of: Mapping[int, frozenset[str]],
    preview: PreviewResult | None,
) -> FilterState:
    """Return what can be chosen, with how many images each entry has."""
    counts: Counter[str] = Counter()
    for kinds, images in Counter(kinds_of.values()).items():
        counts.update(dict.fromkeys(kinds, images))
    predicts = preview is not None and any(item.probabilities for item in preview.items)
    words = {
        **_KINDS,
        **({DISAGREES: "Label and preview disagree"} if predicts or DISAGREES in chosen.kinds else {}),
        **{f"{CLASS_PREFIX}{known.id}": known.name for known in classes},
    }
    entries = tuple(FilterEntry(key, text, counts[key]) for key, text in words.items())
    return FilterState(entries, frozenset(chosen.kinds & words.keys()), chosen.name)
