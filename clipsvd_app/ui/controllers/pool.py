"""The pool of the Label page as the film strip shows it: which images, in which order, with what note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.ui.label_page.state import Order, StripItem, StripState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.jobs import PoolItem, PreviewResult


def strip_state(
    images: Sequence[ProjectImage],
    positions: Mapping[int, int],
    preview: PreviewResult | None,
    order: Order,
    shown: int | None,
    query: str,
) -> StripState:
    """Return the strip. positions: class position by class id. shown: the image to be similar to."""
    known = {} if preview is None else {item.image_id: item for item in preview.items}
    predicted = any(item.probabilities for item in known.values())
    orders = _orders(bool(known), predicted, shown is not None, bool(query))
    chosen = order if order in orders else orders[0]
    items = [_item(image, positions, known.get(image.id)) for image in images]
    ranked = _ranked(items, known, chosen, preview, shown)
    unlabelled = sum(item.label is None for item in items)
    caption = f"{len(items)} images, {unlabelled} unlabelled"
    return StripState(tuple(ranked), chosen, orders, caption)


def _orders(preview: bool, predicted: bool, shown: bool, query: bool) -> tuple[Order, ...]:
    """Return the orders that can be had; a pool that is only searched opens in the order of the text."""
    if not preview:
        return ("name",)
    if not predicted:
        return (*_if(query, "text"), *_if(shown, "similar"), "name")
    return ("suggested", *_if(shown, "similar"), *_if(query, "text"), "disagree", "name")


def _if(possible: bool, order: Order) -> tuple[Order, ...]:
    return (order,) if possible else ()


def _item(image: ProjectImage, positions: Mapping[int, int], seen: PoolItem | None) -> StripItem:
    label = None if image.class_id is None else positions[image.class_id]
    if seen is None or not seen.probabilities:
        return StripItem(image.id, image.title, label)
    top = max(seen.probabilities)
    return StripItem(image.id, image.title, label, seen.probabilities.index(top), top)


def _ranked(
    items: list[StripItem],
    known: Mapping[int, PoolItem],
    order: Order,
    preview: PreviewResult | None,
    shown: int | None,
) -> list[StripItem]:
    if order == "name" or preview is None:
        return items
    if order == "similar":
        seen = None if shown is None else known.get(shown)
        return items if seen is None else _first(items, (seen.image_id, *seen.nearest))
    if order == "text":
        return sorted(items, key=lambda item: -_likeness(known.get(item.image_id)))
    if order == "disagree":
        return sorted(items, key=lambda item: (not _disagrees(item), -(item.probability or 0.0)))
    doubtful = sorted(
        items, key=lambda item: (item.label is not None, -_doubt(known.get(item.image_id)), item.image_id)
    )
    return _first(doubtful, preview.suggested)


def _first(items: list[StripItem], ids: tuple[int, ...]) -> list[StripItem]:
    """Return the items with those of ``ids`` in front, in that order."""
    place = {image_id: index for index, image_id in enumerate(ids)}
    return sorted(items, key=lambda item: place.get(item.image_id, len(place)))


def _disagrees(item: StripItem) -> bool:
    return item.label is not None and item.predicted != item.label


def _doubt(item: PoolItem | None) -> float:
    return 0.0 if item is None else item.uncertainty


def _likeness(item: PoolItem | None) -> float:
    return -2.0 if item is None or item.text_similarity is None else item.text_similarity
