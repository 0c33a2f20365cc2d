"""The pool: which images are displayed, in which order, and what the filter and a search make of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.services.studies.look_alikes import LookAlikes
from clipsvd_app.ui.label.strip.pool import (
    PoolNotes,
    PoolOrder,
    PoolSlices,
    next_to_label,
    orders_of,
    strip_state,
)
from clipsvd_app.ui.label.strip.pool_filter import (
    CLASS_PREFIX,
    KindsByImage,
    PoolFilter,
    filter_state,
    has_name,
)
from clipsvd_app.ui.session.when_shown import WhenShown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.jobs.answers import PreviewResult
    from clipsvd_app.ui.label.files import FilesController
    from clipsvd_app.ui.label.page import LabelPage
    from clipsvd_app.ui.label.preview import PreviewController
    from clipsvd_app.ui.label.readers.controller import SecondReaderController
    from clipsvd_app.ui.label.state import Order
    from clipsvd_app.ui.session.background import Answer
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.controllers.frames import ViewingController

SHORTEST_NAME = 2
"""Letters from which a search is also for file names; one letter is in nearly all of them."""


class PoolController(QObject):
    """Orders and narrows the pool; what is newer than the displayed order is only offered."""

    def __init__(
        self,
        session: Session,
        page: LabelPage,
        viewing: ViewingController,
        preview: PreviewController,
        reader: SecondReaderController,
        files: FilesController,
    ) -> None:
        super().__init__(page)
        self._session, self._strip, self._tree = session, page.strip, page.tree
        self._viewing, self._preview, self._reader, self._files = viewing, preview, reader, files
        self._alike, self._comparing = LookAlikes(), False
        self._kinds_known, self._slices = KindsByImage(), PoolSlices()
        self._shown = WhenShown(page, self.refresh)
        self.forget()
        page.tree.images_selected.connect(self.show_only)
        page.strip.all_requested.connect(self._show_all)
        page.strip.order_changed.connect(self.choose_order)
        page.strip.news_requested.connect(self._take_news)
        page.strip.reference_dropped.connect(lambda: self.choose_order("name"))
        page.strip.search_changed.connect(self._search)
        page.strip.filter_changed.connect(self._choose_filter)
        page.strip.size_changed.connect(self._keep_size)
        page.strip.set_picture_px(session.settings.thumbnail_px)
        page.bins.show_requested.connect(self.show_class)
        preview.changed.connect(self._on_preview)
        for changed in (reader.changed, files.moved_changed, session.settings_changed):
            changed.connect(self._shown.ask)

    def forget(self) -> None:
        """Begin anew: all images, by name."""
        self._only: frozenset[int] | None = None
        self._pool, self._filter = PoolOrder(), PoolFilter()
        self._chosen_by_hand = self._searching = False

    def show(self, image_id: int) -> None:
        """Choose an image in the pool and bring it up."""
        self._strip.select((image_id,))
        self._viewing.show(image_id)

    def neighbour_of(self, image_ids: Collection[int]) -> int | None:
        """Return the image of the pool that is to be seen once these are gone."""
        pool = self._pool.arranged(self._shown_images())
        last = max((place for place, image_id in enumerate(pool) if image_id in image_ids), default=-1)
        others = (*pool[last + 1 :], *reversed(pool[: last + 1]))
        return next((image_id for image_id in others if image_id not in image_ids), None)

    def show_next(self, after: int) -> None:
        """Bring up the image of the pool that is most worth the next label."""
        images = self._session.images()
        pool = self._pool.arranged(self._shown_images())
        following = next_to_label(images, pool, self._plain_preview(), after)
        if following is not None:
            self.show(following)

    def refresh(self) -> None:
        """Show the pool as it is now."""
        positions = self._positions()
        preview = self._plain_preview()
        images = self._shown_images()
        notes = PoolNotes(
            self._look_alikes(),
            self._files.moved,
            self._second(positions),
            self._files.replaced,
            self._slices.of(self._session.images(), images) if self._reader.compared is None else {},
            self._session.settings.show_file_names,
        )
        pool = self._pool if self._is_plain() else PoolOrder()
        orders = orders_of(preview, self._preview.query, self._viewing.shown, named=bool(self._pool.named))
        if pool.order not in orders:  # what it was made from is gone; it stays until another is chosen
            orders = (*orders, pool.order)
        whole = len(self._session.images())
        state = strip_state(images, positions, preview, pool, orders, notes, whole, self._strip.items)
        chosen = filter_state(self._filter, self._session.classes(), self._kinds(), preview)
        self._strip.set_state(
            replace(
                state,
                part_of=whole if self._is_narrowed() else 0,
                news=self._news(orders, positions),
                reference=self._reference(),
                filter=chosen,
                hidden_by=self._hidden_by(chosen.words) if whole and not images else "",
            )
        )
        self._strip.allow_search(self._is_plain())
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
        self._shown.ask()

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
        return self._kinds_known.of(self._session.images(), self._positions(), self._plain_preview())

    def _choose_filter(self, kinds: frozenset[str], name: str) -> None:
        """Narrow the pool; labels given meanwhile move nothing until it is asked again."""
        self._filter = PoolFilter(kinds, name).asked_anew(self._session.images(), self._kinds())
        self.refresh()

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
        """Offer to filter again where labels given since would change what is shown."""
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

    def choose_order(self, order: str) -> None:
        """Put the pool into an order; “similar” stays with the image that is displayed now."""
        self._chosen_by_hand = True
        self._rank(order)  # type: ignore[arg-type]
        self.refresh()

    def _rank(self, order: Order) -> None:
        reference = self._viewing.shown if order == "similar" else None
        wanted = PoolOrder(order, (), reference, self._plain_preview(), self._pool.named)
        self._pool = wanted.ranked_anew(self._session.images(), self._positions())

    def _take_news(self) -> None:
        """Take the newer order and filter that were offered, and show the first image."""
        offers_order = self._pool.order == "name" and not self._chosen_by_hand
        self._filter = self._filter.asked_anew(self._session.images(), self._kinds())
        self.choose_order("suggested" if offers_order and self._can_suggest() else self._pool.order)
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
            self.choose_order("text")
            self._show_first()
        elif not self._searching and self._pool.order == "text":
            self.choose_order("name")
        self._preview.search(text)

    def _on_preview(self) -> None:
        """Show newer predictions; only an answer to a search orders the pool, and shows its best match."""
        answered = self._searching and "text" in orders_of(self._plain_preview(), self._preview.query, None)
        if answered and not self._preview.is_waiting:
            self._searching = False
            self.choose_order("text")
            self._show_first()
        else:
            self._shown.ask()

    def _keep_size(self, side_px: int) -> None:
        self._session.change_settings(replace(self._session.settings, thumbnail_px=side_px))

    def show_only(self, ids: Sequence[int]) -> None:
        """Show in the pool what was chosen in the tree, and its first image in the viewer."""
        everything = len(ids) in (0, len(self._session.images()))
        self._only = None if everything else frozenset(ids)
        self.refresh()
        if ids:
            self._strip.select(ids[:1] if everything else ids)
            self._viewing.show(ids[0])

    def show_class(self, class_id: int) -> None:
        """Show the images of a class only."""
        self._only = None
        self._tree.select_nothing()
        self._choose_filter(frozenset({f"{CLASS_PREFIX}{class_id}"}), "")

    def _show_all(self) -> None:
        self._only, self._filter = None, PoolFilter()
        self._tree.select_nothing()
        self.refresh()
