"""The Label page: the project as tree, pool and bins, and every way to label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from clipsvd_app.services.labels.labels import clear_labels, hint, set_labels, set_marks
from clipsvd_app.services.labels.second_reader import set_readings
from clipsvd_app.ui.label.state import BinState
from clipsvd_app.ui.label.strip.controller import PoolController
from clipsvd_app.ui.label.studies.tree_rows import TreeRows
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.when_shown import WhenShown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clipsvd_app.domain.project_values import Mark
    from clipsvd_app.ui.importer.controller import ImportController
    from clipsvd_app.ui.label.files import FilesController
    from clipsvd_app.ui.label.page import LabelPage
    from clipsvd_app.ui.label.preview import PreviewController
    from clipsvd_app.ui.label.readers.controller import SecondReaderController
    from clipsvd_app.ui.label.state import PatientRow
    from clipsvd_app.ui.session.image_cache import Pictures
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.controllers.frames import ViewingController

MANY_NEW = 1000  # more images are shown in turns
TURN_MS = 10


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
        self._viewing, self._importing, self._reader = viewing, importing, reader
        self._rows, self._images_shown = TreeRows(), 0
        self.pool = PoolController(session, page, viewing, preview, reader, files)
        self._connect_page()
        pictures.thumbnail_ready.connect(page.set_thumbnail)
        session.project_opened.connect(self._on_opened)
        self._shown = WhenShown(page, self.refresh)
        session.project_changed.connect(self._shown.ask)

    def refresh(self) -> None:
        """Show the project as it is now."""
        if self._session.project is None:
            self._page.show_empty()
            return
        steps = (self._show_work, self._show_studies, self._show_bins)
        if len(self._session.images()) - self._images_shown > MANY_NEW:
            self._take_turns((self._patients, *steps))  # which are kept for when they are shown
        else:
            for step in steps:
                step()

    def _take_turns(self, steps: Sequence[Callable[[], object]]) -> None:
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
        self.pool.refresh()
        opened = self._page.show_work()
        if (opened or (self._page.strip.filled and not was_filled)) and self._page.isVisible():
            self._page.take_keyboard()

    def _show_studies(self) -> None:
        self._page.tree.set_patients(self._patients())

    def _patients(self) -> tuple[PatientRow, ...]:
        return self._rows.of(self._session.images(), self._session.series_flags())

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

    def _connect_page(self) -> None:
        page, bins = self._page, self._page.bins
        page.label_requested.connect(self._label_by_position)
        page.clear_requested.connect(lambda ids: self._label(ids, None))
        page.mark_requested.connect(self._mark)
        page.thumbnails_needed.connect(self._want_thumbnails)
        page.action_requested.connect(self._session.action_requested)
        bins.images_dropped.connect(lambda class_id, ids: self._label(ids, class_id))
        bins.files_dropped.connect(lambda class_id, paths: self._importing.take(paths, class_id))

    def _label_by_position(self, ids: Sequence[int], position: int, go_on: bool) -> None:
        classes = self._session.classes()
        if position < len(classes):
            settling = self._reader.compared is not None
            self._label(ids, classes[position].id)
            if go_on and not settling and self._session.settings.next_after_label:
                self.pool.show_next(ids[-1])

    def _label(self, ids: Iterable[int], class_id: int | None) -> None:
        images = [image for image in map(self._session.image, ids) if image is not None]
        chosen = [image.id for image in images]
        if not chosen:
            return
        if self._session.reader:
            self._session.do(set_readings(self._session.reader, chosen, class_id))
        elif class_id is None:
            self._session.do(clear_labels(images))
        elif len(chosen) == 1 and self._reader.settle(chosen[0], class_id):
            self._reader.go_on()
        else:
            names = {known.id: known.name for known in self._session.classes()}
            self._session.do(set_labels(chosen, class_id, names[class_id]))

    def _mark(self, ids: Iterable[int], mark: Mark) -> None:
        if self._session.reader:
            self._session.tell(Notice("info", "A second reader can only assign classes.", key="reader"))
            return
        chosen = [image for image in map(self._session.image, dict.fromkeys(ids)) if image is not None]
        if chosen:
            undone = all(image.mark == mark for image in chosen)
            self._session.do(set_marks((image.id for image in chosen), "" if undone else mark))

    def _show_bins(self) -> None:
        by_class: dict[int, list[int]] = {known.id: [] for known in self._session.classes()}
        for image in self._session.images():
            if image.class_id is not None and not image.mark:
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

    def _want_thumbnails(self, ids: Iterable[int]) -> None:
        found = map(self._session.image, ids)
        self._pictures.want_thumbnails(image for image in found if image is not None)

    def _on_opened(self) -> None:
        self.pool.forget()
        self._pictures.forget()
        self._page.strip.forget()
        self._viewing.clear()  # what was asked for since the project opened was forgotten with the rest
        self._shown.ask()
