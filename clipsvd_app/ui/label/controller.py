"""The Label page: the project as tree, pool and bins, and every way to label."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from clipsvd_app.domain.study import ProjectImage
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.jobs import PreviewResult
from clipsvd_app.services.labels.labels import clear_labels, hint, set_labels, set_marks
from clipsvd_app.services.labels.second_reader import set_readings
from clipsvd_app.services.studies.look_alikes import LookAlikes
from clipsvd_app.ui.label.state import BinState, Order, PatientRow, SeriesRow, StudyRow
from clipsvd_app.ui.label.strip.pool import (
    PoolNotes,
    PoolOrder,
    next_to_label,
    orders_of,
    slices_of,
    strip_state,
)
from clipsvd_app.ui.label.strip.pool_filter import (
    CLASS_PREFIX,
    PoolFilter,
    filter_state,
    has_name,
    kinds_by_image,
)
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.when_shown import WhenShown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from clipsvd_app.domain.study import Mark, SeriesFlag
    from clipsvd_app.ui.importer.controller import ImportController
    from clipsvd_app.ui.label.files import FilesController
    from clipsvd_app.ui.label.page import LabelPage
    from clipsvd_app.ui.label.preview import PreviewController
    from clipsvd_app.ui.label.readers.controller import SecondReaderController
    from clipsvd_app.ui.session.background import Answer
    from clipsvd_app.ui.session.image_cache import Pictures
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.controllers.frames import ViewingController

    Flags = Mapping[int, tuple[SeriesFlag, ...]]

MINI_THUMBNAILS = 6
MANY_NEW = 1000  # more images are shown in turns
TURN_MS = 10
SHORTEST_NAME = 2
"""Letters from which a search is also for file names; one letter is in nearly all of them."""


@dataclass(frozen=True, slots=True)
class _KnownKinds:
    """What each image is to the filter, and the very objects that it was found from."""

    images: tuple[ProjectImage, ...] = ()
    preview: PreviewResult | None = None
    by_image: dict[int, frozenset[str]] = field(default_factory=dict)


class LabelController(QObject):
    """Turns drops, keys and menus into changes, and changes into what is shown."""

    def __init__(
        self,
        session: Session,
        page: LabelPage,
        pictures: Pictures,
        viewing: ViewingController,
        preview: PreviewController,
        importing: ImportController,
        reader: SecondReaderController,
        files: FilesController,
    ) -> None:
        super().__init__(page)
        self._session, self._page, self._pictures = session, page, pictures
        self._viewing, self._preview, self._importing = viewing, preview, importing
        self._reader, self._files = reader, files
        self._alike, self._comparing = LookAlikes(), False
        self._rows, self._images_shown = TreeRows(), 0
        self._pool = PoolOrder()
        self._chosen_by_hand = self._searching = False
        self._only: frozenset[int] | None = None
        self._filter = PoolFilter()
        self._kinds_known = _KnownKinds()
        self._connect_page()
        pictures.thumbnail_ready.connect(page.set_thumbnail)
        session.project_opened.connect(self._on_opened)
        self._shown = WhenShown(page, self.refresh)
        self._strip_shown = WhenShown(page, self._show_pool)
        session.project_changed.connect(self._shown.ask)
        preview.changed.connect(self._on_preview)
        reader.changed.connect(self._strip_shown.ask)
        files.moved_changed.connect(self._strip_shown.ask)
        session.settings_changed.connect(self._strip_shown.ask)

    def refresh(self) -> None:
        """Show the project as it is now."""
        if self._session.project is None:
            self._page.show_empty()
            return
        many = len(self._session.images()) - self._images_shown > MANY_NEW
        steps = (self._show_work, self._show_studies, self._show_bins)
        if many:
            self._take_turns(steps)
        else:
            for step in steps:
                step()

    def _take_turns(self, steps: Sequence[Callable[[], None]]) -> None:
        """Do each step in a turn of the event loop of its own, so that the window answers in between.

        A timer for each, started by the one before: what is due or posted together runs in one turn.
        """
        first, *others = steps

        def turn() -> None:
            if self._session.project is not None:
                first()
                if others:
                    self._take_turns(others)

        QTimer.singleShot(TURN_MS, self, turn)

    def _show_work(self) -> None:
        was_filled = self._page.strip.filled
        self._images_shown = len(self._session.images())
        self._show_pool()
        opened = self._page.show_work()
        if (opened or (self._page.strip.filled and not was_filled)) and self._page.isVisible():
            self._page.take_keyboard()

    def _show_studies(self) -> None:
        self._page.tree.set_patients(self._rows.of(self._session.images(), self._session.series_flags()))

    def clear_selected(self) -> None:
        """Take labels and marks of the selected images away."""
        self._label(self._page.target_ids, None)

    def mark_selected(self, mark: Mark) -> None:
        """Mark the selected images, or take the mark away where all of them have it."""
        self._mark(self._page.target_ids, mark)

    def toggle_file_names(self) -> None:
        """Call images by their files in pool and viewer, or no longer: such a name may be a patient's."""
        settings = self._session.settings
        self._session.change_settings(replace(settings, show_file_names=not settings.show_file_names))

    def choose_order(self, order: Order) -> None:
        """Put the pool into an order, as its box does."""
        self._choose_order(order)

    def show(self, image_id: int) -> None:
        """Choose an image in the pool and bring it up."""
        self._page.strip.select((image_id,))
        self._viewing.show(image_id)

    def neighbour_of(self, image_ids: Collection[int]) -> int | None:
        """Return the image of the pool that is to be seen once these are gone."""
        pool = self._pool.arranged(self._shown_images())
        last = max((place for place, image_id in enumerate(pool) if image_id in image_ids), default=-1)
        others = (*pool[last + 1 :], *reversed(pool[: last + 1]))
        return next((image_id for image_id in others if image_id not in image_ids), None)

    def _connect_page(self) -> None:
        page, bins = self._page, self._page.bins
        page.label_requested.connect(self._label_by_position)
        page.clear_requested.connect(lambda ids: self._label(ids, None))
        page.mark_requested.connect(self._mark)
        page.thumbnails_needed.connect(self._want_thumbnails)
        page.action_requested.connect(self._session.action_requested)
        page.tree.images_selected.connect(self._select_below)
        page.strip.all_requested.connect(self._show_all)
        page.strip.order_changed.connect(self._choose_order)
        page.strip.news_requested.connect(self._take_news)
        page.strip.reference_dropped.connect(lambda: self._choose_order("name"))
        page.strip.search_changed.connect(self._search)
        page.strip.filter_changed.connect(self._choose_filter)
        page.strip.size_changed.connect(self._keep_size)
        page.strip.set_picture_px(self._session.settings.thumbnail_px)
        bins.images_dropped.connect(lambda class_id, ids: self._label(ids, class_id))
        bins.files_dropped.connect(lambda class_id, paths: self._importing.take(paths, class_id))
        bins.show_requested.connect(self._show_class)

    def _label_by_position(self, ids: Sequence[int], position: int, go_on: bool) -> None:
        classes = self._session.classes()
        if position < len(classes):
            settling = self._reader.compared is not None
            self._label(ids, classes[position].id)
            if go_on and not settling and self._session.settings.next_after_label:
                self._show_next(ids[-1])

    def _show_next(self, after: int) -> None:
        """Bring up the image of the pool that is most worth the next label."""
        images = self._session.images()
        pool = self._pool.arranged(self._shown_images())
        following = next_to_label(images, pool, self._plain_preview(), after)
        if following is not None:
            self.show(following)

    def _label(self, ids: Iterable[int], class_id: int | None) -> None:
        images = {image.id: image for image in self._session.images()}
        chosen = [image_id for image_id in ids if image_id in images]
        if not chosen:
            return
        if self._session.reader:
            self._session.do(set_readings(self._session.reader, chosen, class_id))
        elif class_id is None:
            self._session.do(clear_labels([images[image_id] for image_id in chosen]))
        elif len(chosen) == 1 and self._reader.settle(chosen[0], class_id):
            self._reader.go_on()
        else:
            names = {known.id: known.name for known in self._session.classes()}
            self._session.do(set_labels(chosen, class_id, names[class_id]))

    def _mark(self, ids: Iterable[int], mark: Mark) -> None:
        if self._session.reader:
            self._session.tell(Notice("info", "A second reader can only assign classes.", key="reader"))
            return
        wanted = set(ids)
        chosen = [image for image in self._session.images() if image.id in wanted]
        if chosen:
            undone = all(image.mark == mark for image in chosen)
            self._session.do(set_marks((image.id for image in chosen), "" if undone else mark))

    def _show_bins(self) -> None:
        by_class: dict[int, list[int]] = {known.id: [] for known in self._session.classes()}
        for image in self._session.images():
            if image.example_of is not None:
                by_class[image.example_of].append(image.id)
        self._page.bins.set_bins(
            [
                BinState(
                    known.id,
                    known.position,
                    known.name,
                    tuple(by_class[known.id]),
                    hint(len(by_class[known.id])),
                )
                for known in self._session.classes()
            ]
        )
        seen = {image_id for ids in by_class.values() for image_id in ids[:MINI_THUMBNAILS]}
        self._want_thumbnails(seen)

    def _show_pool(self) -> None:
        positions = self._positions()
        preview = self._plain_preview()
        images = self._shown_images()
        notes = PoolNotes(
            self._look_alikes(),
            self._files.moved,
            self._second(positions),
            self._files.replaced,
            slices_of(self._session.images(), images) if self._reader.compared is None else {},
            self._session.settings.show_file_names,
        )
        pool = self._pool if self._is_plain() else PoolOrder()
        orders = orders_of(preview, self._preview.query, self._viewing.shown, named=bool(self._pool.named))
        if pool.order not in orders:  # what it was made from is gone; it stays until another is chosen
            orders = (*orders, pool.order)
        whole = len(self._session.images())
        state = strip_state(images, positions, preview, pool, orders, notes, whole)
        chosen = filter_state(self._filter, self._session.classes(), self._kinds(), preview)
        self._page.strip.set_state(
            replace(
                state,
                part_of=whole if self._is_narrowed() else 0,
                news=self._news(orders, positions),
                reference=self._reference(),
                filter=chosen,
                hidden_by=self._hidden_by(chosen.words) if whole and not images else "",
            )
        )
        self._page.strip.allow_search(self._is_plain())
        if self._viewing.empty and state.items:
            self._viewing.show(state.items[0].image_id)

    def _look_alikes(self) -> dict[int, tuple[int, ...]]:
        """Return the look-alikes as far as they are known; those of very many images come later."""
        images = self._session.images()
        if not self._alike.is_slow(images):
            return self._alike.of(images)
        if not self._comparing:
            self._comparing = True
            self._session.work(lambda _report: self._alike.of(images), self._take_look_alikes)
        return self._alike.found

    def _take_look_alikes(self, _answer: Answer) -> None:
        self._comparing = False
        self._strip_shown.ask()

    def _hidden_by(self, filtered: str) -> str:
        """Say what hides every image."""
        if self._reader.compared is not None:
            return "The readers agree on all images that both have read."
        where = "in the selected studies " if self._only is not None else ""
        hidden = counted(len(self._session.images()), "image is", "images are")
        return f"No image {where}matches the filter: {filtered}. {hidden} hidden."

    def _is_narrowed(self) -> bool:
        """Whether the user has chosen a part of the pool."""
        return self._only is not None or (self._filter.active and self._is_plain())

    def _positions(self) -> dict[int, int]:
        return {known.id: known.position for known in self._session.classes()}

    def _kinds(self) -> dict[int, frozenset[str]]:
        """Return what the filter goes by, found once for each state of labels and preview."""
        images, preview = self._session.images(), self._plain_preview()
        if self._kinds_known.images is not images or self._kinds_known.preview is not preview:
            kinds = kinds_by_image(images, self._positions(), preview)
            self._kinds_known = _KnownKinds(images, preview, kinds)
        return self._kinds_known.by_image

    def _choose_filter(self, kinds: frozenset[str], name: str) -> None:
        """Narrow the pool; labels given meanwhile move nothing until it is asked anew."""
        self._filter = PoolFilter(kinds, name).asked_anew(self._session.images(), self._kinds())
        self._show_pool()

    def _is_plain(self) -> bool:
        """Whether one reader works alone, who may see what the preview says."""
        return not self._session.reader and self._reader.compared is None

    def _plain_preview(self) -> PreviewResult | None:
        return self._preview.result if self._is_plain() else None

    def _news(self, orders: Sequence[Order], positions: Mapping[int, int]) -> str:
        """Offer a newer order where there is one; it is never taken by itself."""
        pool, preview = self._pool, self._plain_preview()
        if pool.order == "name" and not self._chosen_by_hand and "suggested" in orders:
            return "Sort by usefulness"
        if pool.order not in ("suggested", "disagree") or preview is pool.preview:
            return self._stale()
        newer = replace(pool, preview=preview).ranked_anew(self._session.images(), positions)
        return "New suggestions" if newer.ranking != pool.ranking else self._stale()

    def _stale(self) -> str:
        """Offer to filter anew where labels given since would change what is shown."""
        stale = self._is_plain() and self._filter.is_stale(self._session.images(), self._kinds())
        return "Filter again" if stale else ""

    def _reference(self) -> str:
        image = self._session.image(self._pool.reference) if self._pool.order == "similar" else None
        return "" if image is None else f"Similar to {image.title}"

    def _shown_images(self) -> tuple[ProjectImage, ...]:
        """Return what differs while readers are compared, what was chosen in the tree, or all."""
        images = self._session.images()
        if self._reader.compared is not None:
            differ = {one.image_id for one in self._reader.compared.disagreements}
            return tuple(image for image in images if image.id in differ)
        if self._filter.active and self._is_plain():
            images = self._filter.kept(images, self._kinds())
        if self._only is not None:
            return tuple(image for image in images if image.id in self._only)
        return images

    def _second(self, positions: dict[int, int]) -> dict[int, tuple[int, bool]]:
        found = self._reader.compared
        if found is None:
            return {}
        return {one.image_id: (positions[one.second], one.settled) for one in found.disagreements}

    def _choose_order(self, order: str) -> None:
        """Put the pool into an order; “similar” stays with the image that is on show now."""
        self._chosen_by_hand = True
        self._rank(order)  # type: ignore[arg-type]
        self._show_pool()

    def _rank(self, order: Order) -> None:
        reference = self._viewing.shown if order == "similar" else None
        wanted = PoolOrder(order, (), reference, self._plain_preview(), self._pool.named)
        self._pool = wanted.ranked_anew(self._session.images(), self._positions())

    def _take_news(self) -> None:
        """Take the newer order and filter that were offered, and show the first image."""
        offers_order = self._pool.order == "name" and not self._chosen_by_hand
        self._filter = self._filter.asked_anew(self._session.images(), self._kinds())
        self._choose_order("suggested" if offers_order and self._can_suggest() else self._pool.order)
        self._show_first()

    def _can_suggest(self) -> bool:
        return "suggested" in orders_of(self._plain_preview(), "", None)

    def _show_first(self) -> None:
        first = next(iter(self._pool.arranged(self._shown_images())), None)
        if first is not None:
            self.show(first)

    def _search(self, text: str) -> None:
        """Put what has the text in its file name first, at once; the model's answer follows behind."""
        text = text.strip()
        self._searching = bool(text)
        found = tuple(image.id for image in self._session.images() if has_name(image, text)) if text else ()
        self._pool = replace(self._pool, named=found if len(text) >= SHORTEST_NAME else ())
        if self._pool.named:
            self._choose_order("text")
            self._show_first()
        elif not self._searching and self._pool.order == "text":
            self._choose_order("name")
        self._preview.search(text)

    def _on_preview(self) -> None:
        """Show newer predictions; only an answer to a search orders the pool, and shows its best match."""
        answered = self._searching and "text" in orders_of(self._plain_preview(), self._preview.query, None)
        if answered and not self._preview.is_waiting:
            self._searching = False
            self._choose_order("text")
            self._show_first()
        else:
            self._strip_shown.ask()

    def _keep_size(self, side_px: int) -> None:
        self._session.change_settings(replace(self._session.settings, thumbnail_px=side_px))

    def _select_below(self, ids: Sequence[int]) -> None:
        """Show in the pool what was chosen in the tree, and its first image in the viewer."""
        everything = len(ids) in (0, len(self._session.images()))
        self._only = None if everything else frozenset(ids)
        self._show_pool()
        if ids:
            self._page.strip.select(ids[:1] if everything else ids)
            self._viewing.show(ids[0])

    def _show_class(self, class_id: int) -> None:
        self._only = None
        self._page.tree.select_nothing()
        self._choose_filter(frozenset({f"{CLASS_PREFIX}{class_id}"}), "")

    def _show_all(self) -> None:
        self._only, self._filter = None, PoolFilter()
        self._page.tree.select_nothing()
        self._show_pool()

    def _want_thumbnails(self, ids: Iterable[int]) -> None:
        wanted = set(ids)
        self._pictures.want_thumbnails(image for image in self._session.images() if image.id in wanted)

    def _on_opened(self) -> None:
        self._only, self._pool, self._filter = None, PoolOrder(), PoolFilter()
        self._chosen_by_hand = self._searching = False
        self._pictures.forget()
        self._page.strip.forget()
        self._viewing.clear()  # what was asked for since the project opened was forgotten with the rest
        self._shown.ask()


class TreeRows:
    """Patients > studies > series of images in reading order; no row holds an identity.

    Rows of patients of whom nothing changed are kept, so that a label among thousands costs one row.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[tuple[ProjectImage, ...], PatientRow]] = {}
        self._flags: Flags = {}

    def of(self, images: Sequence[ProjectImage], flags: Flags) -> tuple[PatientRow, ...]:
        """Return the rows of these images. flags: what is irregular about series, by their ids."""
        known = self._kept if flags == self._flags else {}
        self._kept, self._flags = {}, flags
        for number, group in groupby(images, lambda image: image.patient_number):
            members = tuple(group)
            kept = known.get(number)
            if kept is None or kept[0] != members:
                row = PatientRow(f"p{number}", f"Patient {number:03d}", _studies(number, members, flags))
                kept = members, row
            self._kept[number] = kept
        return tuple(row for _, row in self._kept.values())


def _studies(patient: int, images: Sequence[ProjectImage], flags: Flags) -> tuple[StudyRow, ...]:
    return tuple(
        StudyRow(f"p{patient}-{number}", f"Study {number}", _series(list(group), flags))
        for number, group in groupby(images, lambda image: image.study_number)
    )


def _series(images: list[ProjectImage], flags: Flags) -> tuple[SeriesRow, ...]:
    rows = []
    for series_id, group in groupby(images, lambda image: image.series_id):
        members = list(group)
        first = members[0]
        what = " ".join(part for part in (first.modality, first.body_part.title()) if part) or "Pictures"
        ids = tuple(image.id for image in members)
        labelled = sum(image.class_id is not None or bool(image.mark) for image in members)
        said = tuple(flag.sentence for flag in flags.get(series_id, ()))
        rows.append(SeriesRow(f"s{series_id}", f"{what} {first.series_number}", ids, labelled, said))
    return tuple(rows)
