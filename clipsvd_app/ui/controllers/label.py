"""The Label page: the project as tree, pool and bins, and every way to label."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import AddClass, ChangeClass, RemoveClass
from clipsvd_app.services.labelling import hint, set_labels
from clipsvd_app.ui.controllers.pool import strip_state
from clipsvd_app.ui.label_page.state import BinState, Order, PatientRow, SeriesRow, StudyRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.project.changes import Change
    from clipsvd_app.ui.controllers.importing import ImportController
    from clipsvd_app.ui.controllers.preview import PreviewController
    from clipsvd_app.ui.controllers.viewing import ViewingController
    from clipsvd_app.ui.label_page.page import LabelPage
    from clipsvd_app.ui.pictures import Pictures
    from clipsvd_app.ui.session import Session

MINI_THUMBNAILS = 6


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
    ) -> None:
        super().__init__(page)
        self._session, self._page, self._pictures = session, page, pictures
        self._viewing, self._preview, self._importing = viewing, preview, importing
        self._order: Order = "suggested"
        self._only: frozenset[int] | None = None
        self._connect_page()
        pictures.thumbnail_ready.connect(page.set_thumbnail)
        session.project_opened.connect(self._on_opened)
        session.project_changed.connect(self.refresh)
        preview.changed.connect(self._show_pool)
        viewing.shown_changed.connect(self._on_shown)

    def refresh(self) -> None:
        """Show the project as it is now."""
        if self._session.project is None:
            self._page.show_empty()
            return
        self._page.show_work()
        self._page.tree.set_patients(tree_rows(self._session.images()))
        self._show_bins()
        self._show_pool()

    def clear_selected(self) -> None:
        """Take the labels of the selected images away."""
        self._label(self._page.selected_ids, None)

    def _connect_page(self) -> None:
        page, bins = self._page, self._page.bins
        page.label_requested.connect(self._label_by_position)
        page.clear_requested.connect(lambda ids: self._label(ids, None))
        page.thumbnails_needed.connect(self._want_thumbnails)
        page.action_requested.connect(self._session.action_requested)
        page.tree.images_selected.connect(self._select_below)
        page.strip.order_changed.connect(self._choose_order)
        page.strip.search_changed.connect(self._search)
        bins.images_dropped.connect(lambda class_id, ids: self._label(ids, class_id))
        bins.files_dropped.connect(lambda class_id, paths: self._importing.take(paths, class_id))
        bins.add_class.connect(self._add_class)
        bins.rename_class.connect(self._rename_class)
        bins.remove_class.connect(lambda class_id: self._session.do(RemoveClass(class_id)))
        bins.prompts_requested.connect(lambda _class_id: self._session.page_requested.emit("settings"))
        bins.show_requested.connect(self._show_class)

    def _label_by_position(self, ids: Sequence[int], position: int) -> None:
        classes = self._session.classes()
        if position < len(classes):
            self._label(ids, classes[position].id)

    def _label(self, ids: Iterable[int], class_id: int | None) -> None:
        known = {image.id for image in self._session.images()}
        chosen = [image_id for image_id in ids if image_id in known]
        if not chosen:
            return
        names = {known.id: known.name for known in self._session.classes()}
        self._session.do(set_labels(chosen, class_id, names[class_id] if class_id is not None else ""))

    def _add_class(self, name: str) -> None:
        self._do_with(lambda: AddClass(class_from_name(name)))

    def _rename_class(self, class_id: int, name: str) -> None:
        """Rename a class; prompts that are still the templates follow the name."""
        old = next(known for known in self._session.classes() if known.id == class_id)

        def change() -> Change:
            fresh = class_from_name(name)
            untouched = old.prompts == class_from_name(old.name).prompts
            return ChangeClass(class_id, fresh if untouched else ClassSpec(fresh.name, old.prompts))

        self._do_with(change)

    def _do_with(self, make: Callable[[], Change]) -> None:
        try:
            change = make()
        except UserError as error:
            self._session.tell(error)
        else:
            self._session.do(change)

    def _show_bins(self) -> None:
        by_class: dict[int, list[int]] = {known.id: [] for known in self._session.classes()}
        for image in self._session.images():
            if image.class_id is not None:
                by_class[image.class_id].append(image.id)
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
        images = self._session.images()
        if self._only is not None:
            images = tuple(image for image in images if image.id in self._only)
        positions = {known.id: known.position for known in self._session.classes()}
        state = strip_state(
            images, positions, self._preview.result, self._order, self._viewing.shown, self._preview.query
        )
        self._page.strip.set_state(state)
        if self._viewing.empty and state.items:
            self._viewing.show(state.items[0].image_id)

    def _choose_order(self, order: str) -> None:
        self._order = order  # type: ignore[assignment]
        self._show_pool()

    def _search(self, text: str) -> None:
        self._order = "text" if text.strip() else "suggested"
        self._preview.search(text.strip())

    def _on_shown(self) -> None:
        if self._order == "similar":
            self._show_pool()

    def _select_below(self, ids: Sequence[int]) -> None:
        """Show in the pool what was chosen in the tree, and its first image in the viewer."""
        everything = len(ids) in (0, len(self._session.images()))
        self._only = None if everything else frozenset(ids)
        self._show_pool()
        if ids:
            self._viewing.show(ids[0])

    def _show_class(self, class_id: int) -> None:
        self._only = frozenset(image.id for image in self._session.images() if image.class_id == class_id)
        self._show_pool()

    def _want_thumbnails(self, ids: Iterable[int]) -> None:
        wanted = set(ids)
        self._pictures.want_thumbnails(image for image in self._session.images() if image.id in wanted)

    def _on_opened(self) -> None:
        self._only, self._order = None, "suggested"
        self._pictures.forget()
        self._page.strip.forget_thumbnails()
        self.refresh()


def tree_rows(images: Sequence[ProjectImage]) -> tuple[PatientRow, ...]:
    """Return patients > studies > series of images in reading order; no row holds an identity."""
    return tuple(
        PatientRow(f"p{number}", f"Patient {number:03d}", _studies(number, list(group)))
        for number, group in groupby(images, lambda image: image.patient_number)
    )


def _studies(patient: int, images: list[ProjectImage]) -> tuple[StudyRow, ...]:
    return tuple(
        StudyRow(f"p{patient}-{number}", f"Study {number}", _series(list(group)))
        for number, group in groupby(images, lambda image: image.study_number)
    )


def _series(images: list[ProjectImage]) -> tuple[SeriesRow, ...]:
    rows = []
    for series_id, group in groupby(images, lambda image: image.series_id):
        members = list(group)
        first = members[0]
        what = " ".join(part for part in (first.modality, first.body_part.title()) if part) or "Pictures"
        ids = tuple(image.id for image in members)
        labelled = sum(image.class_id is not None for image in members)
        rows.append(SeriesRow(f"s{series_id}", f"{what} {first.series_number}", ids, labelled))
    return tuple(rows)
