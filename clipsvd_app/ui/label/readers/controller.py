"""A second reader on the Label page: reading blindly, comparing, and settling what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.project.reading_changes import Settle
from clipsvd_app.services.labels.agreement import Agreement, agreement, readers
from clipsvd_app.services.labels.second_reader import LONGEST_NAME, reader_name
from clipsvd_app.ui.label.readers.dialog import ReaderDialog
from clipsvd_app.ui.label.state import ReaderState
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from clipsvd_app.ui.label.page import LabelPage
    from clipsvd_app.ui.session.session import Session

OFF = ReaderState()
END_READING = "reading.end"
SHOW_LABELS = ("inspect", "explain", "export")
"""The pages that are made of what others labelled, and are hidden while a second reader reads."""


class SecondReaderController(QObject):
    """Signal: ``changed()`` when another mode begins or what differs is another."""

    changed = Signal()

    def __init__(self, session: Session, page: LabelPage) -> None:
        super().__init__(page)
        self._session, self._page = session, page
        self.compared: Agreement | None = None
        page.reader_bar.closed.connect(self.close)
        page.reader_bar.compare_requested.connect(lambda: self.compare(self._session.reader))
        page.reader_bar.step_requested.connect(lambda _step: self.go_on())
        session.project_opened.connect(self.close)
        session.project_changed.connect(self._update)

    def ask(self) -> None:
        """Ask who reads, in a dialog that blocks nothing else."""
        if self._session.project is not None:
            dialog = ReaderDialog(readers(self._session.readings()), LONGEST_NAME, self._page)
            dialog.chosen.connect(self.read)
            dialog.open()

    def read(self, name: str) -> None:
        """Let a reader begin or go on, blind to the labels of others."""
        try:
            reader = reader_name(name)
        except UserError as error:
            self._session.tell(error, "reader")
            return
        self._session.settle("reader")
        self.compared = None
        self._session.read_as(reader)
        self._refresh()
        self._page.strip.setFocus()

    def compare(self, reader: str = "") -> None:
        """Show where a reader and the project's labels differ; by default the first reader there is."""
        known = readers(self._session.readings())
        chosen = reader if reader in known else next(iter(known), "")
        if not chosen:
            self._session.tell(
                UserError(
                    "There is no second reading to compare.",
                    remedy="Have a second reader label images first (Edit > Second reader).",
                    code="no_reader",
                ),
                "reader",
            )
            return
        self._session.read_as("")
        self.compared = agreement(self._session.images(), self._session.readings(), chosen)
        self._refresh()
        self.go_on()

    def close(self) -> None:
        """End reading or comparing."""
        self.compared = None
        self._session.read_as("")
        self._refresh()

    def settle(self, image_id: int, class_id: int) -> bool:
        """Decide an image that is compared and differs; False when it is none of those."""
        if self.compared is None or image_id not in {d.image_id for d in self.compared.disagreements}:
            return False
        title = "settle a disagreement"
        return self._session.do(Settle(image_id, self.compared.reader, class_id, title))

    def go_on(self) -> None:
        """Choose the next image that differs and is not settled."""
        found = () if self.compared is None else self.compared.disagreements
        at = [place for place, one in enumerate(found) if one.image_id in self._page.target_ids]
        start = at[-1] + 1 if at else 0
        waiting = [one.image_id for one in (*found[start:], *found[:start]) if not one.settled]
        if target := next(iter(waiting), None):
            self._page.strip.select((target,))
            self._page.strip.opened.emit(target)

    def _refresh(self) -> None:
        self._update()
        self.changed.emit()

    def _update(self) -> None:
        if self.compared is not None:
            reader = self.compared.reader
            self.compared = agreement(self._session.images(), self._session.readings(), reader)
        self._page.reader_bar.set_state(self._state())

    def _state(self) -> ReaderState:
        if self._session.reader:
            images = self._session.images()
            read = sum(image.class_id is not None for image in images)
            sentence = f"{read:,} of {counted(len(images), 'image')} read. The labels of others are hidden."
            return ReaderState("reading", f"Reader {self._session.reader}", sentence)
        if self.compared is None:
            return OFF
        can_step = any(not one.settled for one in self.compared.disagreements)
        headline = f"Reader {self.compared.reader} against the project"
        return ReaderState(
            "comparing", headline, f"{agreement_words(self.compared)}{_how(can_step)}", can_step
        )


def _how(can_step: bool) -> str:
    return ". Hollow marks are the second reader’s. Press a class number to settle." if can_step else ""


def agreement_words(found: Agreement) -> str:
    """Say in one line how far two readers agree."""
    if not found.images:
        return "No image has been read by both readers."
    kappa = "κ not defined" if found.kappa is None else f"κ {found.kappa:.2f}"
    spread = "" if found.interval is None else f" ({found.interval[0]:.2f} to {found.interval[1]:.2f})"
    settled = sum(one.settled for one in found.disagreements)
    differ = counted(len(found.disagreements), "differs", "differ") + (
        f", {settled} of them settled" if settled else ""
    )
    return f"{kappa}{spread} · {counted(found.images, 'image')} read by both · {differ}"


def while_reading(reader: str) -> EmptySpec:
    """Return what a page says that is hidden from a second reader."""
    return EmptySpec(
        icon="eye",
        headline=f"Hidden during reader {reader}’s reading",
        sentence="This page shows the labels of others. It is available again when the reading ends.",
        actions=(
            EmptyAction("label", "Back to reading", primary=True),
            EmptyAction(END_READING, "End reading"),
        ),
    )
