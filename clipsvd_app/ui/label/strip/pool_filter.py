"""Which images the pool shows. Like its order, a filter holds still until the user asks anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.ui.label.state import FilterEntry, FilterState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.domain.study import ProjectClass, ProjectImage
    from clipsvd_app.jobs import PreviewResult

CLASS_PREFIX = "class:"
DISAGREES = "disagrees"
_KINDS = {"unlabelled": "Unlabelled", "uncertain": "Uncertain", "excluded": "Excluded"}


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
    predicted = {
        item.image_id: item.probabilities.index(max(item.probabilities))
        for item in (() if preview is None else preview.items)
        if item.probabilities
    }
    found = {}
    for image in images:
        kinds: set[str] = {image.mark} if image.mark else set()
        if image.class_id is None:
            kinds |= set() if image.mark else {"unlabelled"}
        else:
            kinds.add(f"{CLASS_PREFIX}{image.class_id}")
            if image.id in predicted and predicted[image.id] != positions.get(image.class_id):
                kinds.add(DISAGREES)
        found[image.id] = frozenset(kinds)
    return found


def filter_state(
    chosen: PoolFilter,
    classes: Sequence[ProjectClass],
    kinds_of: Mapping[int, frozenset[str]],
    preview: PreviewResult | None,
) -> FilterState:
    """Return what can be chosen, with how many images each entry has."""
    counts: dict[str, int] = {}
    for kinds in kinds_of.values():
        for kind in kinds:
            counts[kind] = counts.get(kind, 0) + 1
    predicts = preview is not None and any(item.probabilities for item in preview.items)
    words = {
        **_KINDS,
        **({DISAGREES: "Label and preview disagree"} if predicts or DISAGREES in chosen.kinds else {}),
        **{f"{CLASS_PREFIX}{known.id}": known.name for known in classes},
    }
    entries = tuple(FilterEntry(key, text, counts.get(key, 0)) for key, text in words.items())
    return FilterState(entries, frozenset(chosen.kinds & words.keys()), chosen.name)
