"""Orders of the image pool, as ids; every order holds all images."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.jobs.answers import PoolItem, PreviewResult

Ids = tuple[int, ...]


def by_worth(images: Sequence[ProjectImage], preview: PreviewResult) -> Ids:
    """Put first what to label next: the engine's choice of uncertain, diverse images, then by uncertainty.

    Labelled and marked images come last.
    """
    seen = _seen(preview)

    def key(image: ProjectImage) -> tuple[bool, float]:
        return _is_decided(image), -(seen[image.id].uncertainty if image.id in seen else 0.0)

    open_ids = {image.id for image in images if not _is_decided(image)}
    chosen = tuple(image_id for image_id in preview.suggested if image_id in open_ids)
    return first(_ids(sorted(images, key=key)), chosen)


def most_worth(undecided: Sequence[int], preview: PreviewResult) -> int | None:
    """Return the image that ``by_worth`` puts first of these undecided ones, None where there is none."""
    inside = frozenset(undecided)
    chosen = next((image_id for image_id in preview.suggested if image_id in inside), None)
    if chosen is not None or not undecided:
        return chosen
    doubt = {item.image_id: item.uncertainty for item in preview.items}
    return max(undecided, key=lambda image_id: doubt.get(image_id, 0.0))


def by_likeness(images: Sequence[ProjectImage], preview: PreviewResult, shown: int) -> Ids:
    """Put an image first, then its nearest, then the nearest of those, and so on; the others follow as is."""
    seen = _seen(preview)
    near: dict[int, None] = {shown: None}
    queue = deque((shown,))
    while queue:
        item = seen.get(queue.popleft())
        fresh = [image_id for image_id in (item.nearest if item else ()) if image_id not in near]
        near |= dict.fromkeys(fresh)
        queue += fresh
    return first(_ids(images), tuple(near))


def by_text(images: Sequence[ProjectImage], preview: PreviewResult) -> Ids:
    """Put first the images most similar to the search text; images not yet read come last."""
    seen = _seen(preview)

    def likeness(image: ProjectImage) -> float:
        item = seen.get(image.id)
        # Below any cosine similarity, which is -1 at least.
        return -2.0 if item is None or item.text_similarity is None else item.text_similarity

    return _ids(sorted(images, key=likeness, reverse=True))


def by_doubt_of_label(
    images: Sequence[ProjectImage], places: Mapping[int, int], preview: PreviewResult
) -> Ids:
    """Put likely label errors first: by how far a model fitted on other patients prefers another class.

    places: the index of each class id among the probabilities. Unlabelled images come last.
    """
    seen = _seen(preview)

    def excess(image: ProjectImage) -> float:
        """Return the best other class's probability less the label's, from -1 to 1; -2 without a label."""
        item = seen.get(image.id)
        if image.example_of is None or item is None or not item.probabilities:
            return -2.0
        place = places[image.example_of]
        if place >= len(item.probabilities):
            return -2.0
        others = [p for at, p in enumerate(item.probabilities) if at != place]
        return max(others, default=0.0) - item.probabilities[place]

    return _ids(sorted(images, key=excess, reverse=True))


def first(ids: Ids, wanted: Ids) -> Ids:
    """Return the ids with the wanted ones in front, in their order."""
    place = {image_id: index for index, image_id in enumerate(wanted)}
    return tuple(sorted(ids, key=lambda image_id: place.get(image_id, len(place))))


def _is_decided(image: ProjectImage) -> bool:
    return image.class_id is not None or bool(image.mark)


def _ids(images: Iterable[ProjectImage]) -> Ids:
    return tuple(image.id for image in images)


def _seen(preview: PreviewResult) -> dict[int, PoolItem]:
    return {item.image_id: item for item in preview.items}
