"""The pool of the Label page as the film strip shows it: which images, in which order, with what note."""

from __future__ import annotations

import copy
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec import structs

from clipsvd_app.domain.project_values import ProjectImage, relabelled
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.jobs.answers import PreviewResult
from clipsvd_app.services.labels import pool_order
from clipsvd_app.ui.label.state import Order, StripItem, StripItems, StripState

if TYPE_CHECKING:
    from clipsvd_app.jobs.answers import PoolItem

    Slices = dict[int, tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class PoolNotes:
    """What is known of images besides labels and preview.

    alike: the look-alikes of an image. moved: images whose file is gone. second: class position and
    whether it is settled, by image, while readers are compared. replaced: images whose file is another one.
    slices: (series, number, how many) of the images that are slices of a stack. by_file: images are called by
    the names of their files.
    """

    alike: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    moved: frozenset[int] = frozenset()
    second: Mapping[int, tuple[int, bool]] = field(default_factory=dict)
    replaced: frozenset[int] = frozenset()
    slices: Mapping[int, tuple[int, int, int]] = field(default_factory=dict)
    by_file: bool = False


NOTHING_NOTED = PoolNotes()
FEWEST_SLICES = 4
PROJECTIONS = frozenset({"CR", "DX", "MG", "IO", "PX", "RG", "XC", "OP", "GM", "SM"})
"""Modalities whose images are pictures of their own, also where a series holds several."""


@dataclass(frozen=True, slots=True)
class PoolOrder:
    """The order of the pool. It changes only when the user asks for another, never under the hand.

    ranking: every image of the project as it stood when it was asked for. reference: the image that the
    others are ordered by their likeness to. preview: what the ranking was made from. named: the images whose
    file name holds what was searched for; they stand before what only looks like it.
    """

    order: Order = "name"
    ranking: tuple[int, ...] = ()
    reference: int | None = None
    preview: PreviewResult | None = None
    named: tuple[int, ...] = ()

    def ranked_anew(self, images: Sequence[ProjectImage], positions: Mapping[int, int]) -> PoolOrder:
        """Return the same order made from what is known now."""
        ranking = _ranked(images, positions, self.preview, self.order, self.reference)
        if self.order == "text":
            ranking = pool_order.first(ranking, self.named)
        return replace(self, ranking=ranking)

    def arranged(self, images: Sequence[ProjectImage]) -> tuple[int, ...]:
        """Return the ids of images as ranked; those that came since stand last, by patient and date."""
        if self.order == "name":
            return tuple(image.id for image in images)
        there = dict.fromkeys(image.id for image in images)
        kept = dict.fromkeys(image_id for image_id in self.ranking if image_id in there)
        return (*kept, *(image_id for image_id in there if image_id not in kept))


class PoolSlices:
    """What ``slices_of`` says, found again when more than labels has changed."""

    def __init__(self) -> None:
        self._images: Sequence[ProjectImage] = ()
        self._shown: Sequence[ProjectImage] = ()
        self._found: Slices = {}

    def of(self, images: Sequence[ProjectImage], shown: Sequence[ProjectImage]) -> Slices:
        """Return (series, number, how many) of the shown images that the pool puts under one thumbnail."""
        same = relabelled(self._images, images) is not None and relabelled(self._shown, shown) is not None
        self._images, self._shown = images, shown
        if not same:
            self._found = slices_of(images, shown)
        return self._found


def slices_of(images: Sequence[ProjectImage], shown: Sequence[ProjectImage]) -> Slices:
    """Return (series, number, how many) of the shown images that the pool puts under one thumbnail.

    These are slices and frames. Pictures that merely lie in one folder, and the views of a film study, are
    images of their own, and so are the few slices that a choice leaves over.
    """
    there = Counter(image.series_id for image in shown)
    by_series: dict[int, list[ProjectImage]] = {}
    for image in images:
        if there[image.series_id] >= FEWEST_SLICES:
            by_series.setdefault(image.series_id, []).append(image)
    return {
        image.id: (series, number, len(members))
        for series, members in by_series.items()
        if _is_stack(members)
        for number, image in enumerate(members, start=1)
    }


def _is_stack(images: Sequence[ProjectImage]) -> bool:
    first = images[0]
    one_file = all(image.sha256 == first.sha256 for image in images)
    return one_file or (bool(first.modality) and first.modality not in PROJECTIONS)


def orders_of(
    preview: PreviewResult | None, query: str, shown: int | None, *, named: bool = False
) -> tuple[Order, ...]:
    """Return the orders that can be had now, the most useful first. named: file names fit the search."""
    known = () if preview is None else preview.items
    predicted = any(item.probabilities for item in known)
    return _orders(bool(known), predicted, shown is not None, bool(query), named=named)


def next_to_label(
    images: Sequence[ProjectImage], pool: Sequence[int], preview: PreviewResult | None, after: int
) -> int | None:
    """Return the undecided image of the pool that is most worth a label, None where all are decided.

    Without predictions it is the next one in the order of the pool, round its end.
    """
    inside = frozenset(pool)
    undecided = [i.id for i in images if i.class_id is None and not i.mark and i.id in inside]
    if preview is not None and any(item.probabilities for item in preview.items):
        return pool_order.most_worth(undecided, preview)
    place = pool.index(after) + 1 if after in inside else 0
    wanted = frozenset(undecided)
    return next((image_id for image_id in (*pool[place:], *pool[:place]) if image_id in wanted), None)


def strip_state(
    images: Sequence[ProjectImage],
    positions: Mapping[int, int],
    preview: PreviewResult | None,
    pool: PoolOrder,
    orders: tuple[Order, ...],
    notes: PoolNotes = NOTHING_NOTED,
    whole: int = 0,
    before: Sequence[StripItem] = (),
) -> StripState:
    """Return the strip of these images, ``whole`` of them without filter; ``before`` are the last items.

    positions: by class id.
    """
    undecided = len([True for image in images if image.class_id is None and not image.mark])
    share = f"{len(images):,} of " if whole > len(images) else ""
    caption = f"{share}{counted(max(whole, len(images)), 'image')}, {undecided:,} unlabelled"
    context = PoolContext(images, pool, preview, positions, notes)
    items = before.renewed(context) if isinstance(before, PoolItems) else None
    return StripState(items or PoolItems(context), pool.order, orders, caption)


@dataclass(frozen=True, slots=True)
class PoolContext:
    """What the items of a pool are made of. positions: by class id."""

    images: Sequence[ProjectImage]
    pool: PoolOrder
    preview: PreviewResult | None
    positions: Mapping[int, int]
    notes: PoolNotes


class PoolItems(StripItems):
    """The strip's items of some images, each made when it is looked at: few of ten thousand are seen."""

    def __init__(self, context: PoolContext) -> None:
        self._context, self._made = context, {}
        self._by_id = {image.id: image for image in context.images}
        self.ids = list(context.pool.arranged(context.images))

    def renewed(self, now: PoolContext) -> PoolItems | None:
        """Return the items of now where they are of the same images in the same order, else None."""
        changed = relabelled(self._context.images, now.images)
        if changed is None or now.pool != self._context.pool:
            return None
        fresh = copy.copy(self)
        fresh._context, fresh._made = now, {}
        fresh.__dict__.pop("_known", None)
        fresh._by_id = self._by_id | {image.id: image for image in changed}
        return fresh

    @functools.cached_property
    def _known(self) -> dict[int, PoolItem]:
        preview = self._context.preview
        return {} if preview is None else {item.image_id: item for item in preview.items}

    def item(self, image_id: int) -> StripItem:
        """Return the item of an image."""
        if image_id not in self._made:
            notes, image = self._context.notes, self._by_id[image_id]
            alike = (other for i in notes.alike.get(image_id, ()) if (other := self._by_id.get(i)))
            titles = {other.id: other.title for other in alike}
            made = _item(image, self._context.positions, self._known.get(image_id), notes, titles)
            self._made[image_id] = _doubted(made) if self._context.pool.order == "disagree" else made
        return self._made[image_id]

    def changed_since(self, before: StripItems) -> Sequence[int] | None:
        """Return which images may have other items than before, None where the cells are others."""
        if not isinstance(before, PoolItems):
            return super().changed_since(before)
        old, new = before._context, self._context
        if before.ids != self.ids or old.notes.slices != new.notes.slices:
            return None
        changed = relabelled(old.images, new.images)
        told = old.preview is new.preview and (old.positions, old.notes) == (new.positions, new.notes)
        if changed is None or not told or old.pool.order != new.pool.order:
            return self.ids
        return [image.id for image in changed]


def _orders(preview: bool, predicted: bool, shown: bool, query: bool, *, named: bool) -> tuple[Order, ...]:
    """Return the orders that can be had; a pool that is only searched opens in the order of the text."""
    if not preview:
        return (*_if(named, "text"), "name")
    if not predicted:
        return (*_if(query or named, "text"), *_if(shown, "similar"), "name")
    return ("suggested", *_if(shown, "similar"), *_if(query or named, "text"), "disagree", "name")


def _if(possible: bool, order: Order) -> tuple[Order, ...]:
    return (order,) if possible else ()


def _item(
    image: ProjectImage,
    positions: Mapping[int, int],
    seen: PoolItem | None,
    notes: PoolNotes,
    titles: Mapping[int, str],
) -> StripItem:
    label = None if image.class_id is None else positions[image.class_id]
    top = max(seen.probabilities) if seen is not None and seen.probabilities else None
    second, settled = notes.second.get(image.id, (None, False))
    stack, number, slices = notes.slices.get(image.id, (0, 0, 0))
    return StripItem(
        image.id,
        PurePath(image.path).name if notes.by_file else image.title,
        label,
        None if top is None or seen is None else seen.probabilities.index(top),
        top,
        _note(image, notes, titles),
        mark=image.mark,
        second=second,
        settled=settled,
        patient=image.patient_number,
        alike=image.id in notes.alike,
        moved=image.id in notes.moved or image.id in notes.replaced,
        stack=stack,
        slice=number,
        slices=slices,
        path=image.path,
    )


def _doubted(item: StripItem) -> StripItem:
    """Show what the other patients' labels say where it is another class than the label."""
    if item.label is None or item.probability is None or item.predicted == item.label:
        return item
    words = f"Other patients’ labels suggest the other class ({percent(item.probability)})"
    return structs.replace(item, doubted=True, note="\n".join(line for line in (words, item.note) if line))


def _note(image: ProjectImage, notes: PoolNotes, titles: Mapping[int, str]) -> str:
    number = image.id
    if not (image.mark or number in notes.moved or number in notes.replaced or number in notes.alike):
        return ""
    alike = [titles[other] for other in notes.alike.get(image.id, ()) if other in titles]
    lines = (
        "File missing" if image.id in notes.moved else "",
        "File replaced under the same name; not used" if image.id in notes.replaced else "",
        {"uncertain": "Uncertain: not used for training until labelled", "excluded": "Excluded"}.get(
            image.mark, ""
        ),
        f"Looks almost identical to {', '.join(alike[:3])}" if alike else "",
    )
    return "\n".join(line for line in lines if line)


def _ranked(
    images: Sequence[ProjectImage],
    positions: Mapping[int, int],
    preview: PreviewResult | None,
    order: Order,
    shown: int | None,
) -> tuple[int, ...]:
    if order == "similar" and preview is not None and shown is not None:
        return pool_order.by_likeness(images, preview, shown)
    if order == "text" and preview is not None:
        return pool_order.by_text(images, preview)
    if order == "disagree" and preview is not None:
        return pool_order.by_doubt_of_label(images, positions, preview)
    if order == "suggested" and preview is not None:
        return pool_order.by_worth(images, preview)
    return tuple(image.id for image in images)
