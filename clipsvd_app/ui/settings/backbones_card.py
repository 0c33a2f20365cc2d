"""The backbones: which there are, which one is used, and the ways to get another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QMenu, QPushButton, QWidget

from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import GAP, Banner, Card, button, empty, label, one_line
from clipsvd_app.ui.look.theme import set_kind
from clipsvd_app.ui.settings.backbone_panels import Question, WorkPanel
from clipsvd_app.ui.settings.state import BackboneActivity

if TYPE_CHECKING:
    from clipsvd_app.ui.settings.state import BackboneRow, FetchOffer

_HASH_DIGITS_COMPARED = 12
WEIGHTS = "Weights (*.bin *.safetensors)"


class BackbonesCard(Card):
    """Rows of backbones, and above them what is asked, under way or wrong; fetching and removing ask first.

    Signals: ``path_chosen(path)``, ``fetch_requested()``, ``cancel_requested()``, ``use_requested(key)``,
    ``remove_requested(key)``.
    """

    path_chosen = Signal(str)
    fetch_requested = Signal()
    cancel_requested = Signal()
    use_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Backbones", parent)
        self._offer: FetchOffer | None = None
        self._activity = BackboneActivity()
        self._fetch, self._add = button(""), button("Add")
        self._question, self._removal = Question(), Question()
        self._removed = ""
        self._work, self._error = WorkPanel(), Banner()
        self._rows = vertical(spacing=GAP)
        self._build()
        self._connect()
        self.set_offer(None)
        self.set_activity(self._activity)

    def set_backbones(self, backbones: tuple[BackboneRow, ...]) -> None:
        """Show one row a backbone; a question about one that is gone goes with it."""
        if self._removed not in {row.key for row in backbones}:
            self._removal.hide()
        empty(self._rows)
        for position, row in enumerate(backbones):
            if position:
                line = QFrame()
                set_kind(line, "line")
                self._rows.addWidget(line)
            self._rows.addWidget(self._row(row))

    def set_offer(self, offer: FetchOffer | None) -> None:
        """Show the button for a model that can be fetched, or none."""
        self._offer = offer
        self._fetch.setVisible(offer is not None)
        if offer is None:
            self._question.hide()
        else:
            self._fetch.setText(offer.button)

    def set_activity(self, activity: BackboneActivity) -> None:
        """Show what is under way, or how it failed; only one thing is done at a time."""
        self._activity = activity
        self._work.set_work(activity.work)
        self._error.setVisible(bool(activity.error))
        if activity.error:
            self._error.show_text("error", activity.error, activity.remedy)
        if activity.work is not None:
            self._question.hide()
        for way in (self._fetch, self._add):
            way.setEnabled(activity.work is None)

    def _build(self) -> None:
        self._add.setAccessibleName("Add a backbone")
        self.head.addWidget(self._fetch)
        self.head.addWidget(self._add)
        self.body.addWidget(
            label(
                "The pretrained model. Add BiomedCLIP or another open_clip model; it is checked and"
                " copied, and then works offline.",
                "small",
            )
        )
        for panel in (self._question, self._work, self._error, self._removal):
            self.body.addWidget(panel)
        self.body.addSpacing(GAP // 2)
        self.body.addLayout(self._rows)

    def _connect(self) -> None:
        menu = QMenu(self._add)
        menu.addAction("A folder…", self._choose_folder)
        menu.addAction("A weights file…", self._choose_file)
        self._add.setMenu(menu)
        self._fetch.clicked.connect(self._ask_to_fetch)
        self._question.confirmed.connect(self.fetch_requested)
        self._removal.confirmed.connect(lambda: self.remove_requested.emit(self._removed))
        self._work.cancel_requested.connect(self.cancel_requested)

    def _row(self, row: BackboneRow) -> QWidget:
        holder = QWidget()
        whole = horizontal(holder, GAP)
        words = vertical(spacing=2)
        top = horizontal(spacing=GAP)
        top.addWidget(one_line(row.name))
        if row.in_use:
            top.addWidget(label("in use", "chip", wrap=False))
        top.addStretch(1)
        words.addLayout(top)
        words.addWidget(label(_details(row), "small"))
        if row.problem:
            words.addWidget(label(row.problem, "warning"))
        whole.addLayout(words, 1)
        if not row.in_use:
            use = self._button("Use", row, enabled=not row.problem)
            use.clicked.connect(partial(self.use_requested.emit, row.key))
            whole.addWidget(use)
        if not row.embedded:
            remove = destructive(self._button("Remove", row, enabled=not row.in_use))
            remove.clicked.connect(partial(self._ask_to_remove, row))
            whole.addWidget(remove)
        return holder

    def _button(self, text: str, row: BackboneRow, *, enabled: bool) -> QPushButton:
        result = button(text, "quiet" if text == "Remove" else "")
        result.setAccessibleName(f"{text} {row.name}")
        result.setEnabled(enabled)
        return result

    def _ask_to_fetch(self) -> None:
        assert self._offer is not None
        self._removal.hide()
        self._question.ask(self._offer.question, self._offer.words, self._offer.confirm, "Not now")

    def _ask_to_remove(self, row: BackboneRow) -> None:
        self._removed = row.key
        self._question.hide()
        self._removal.ask(f"Remove {row.name}?", row.removal, "Remove", "Keep", "danger")

    def _choose_folder(self) -> None:
        self._choose(QFileDialog.getExistingDirectory(self, "Folder of a backbone"))

    def _choose_file(self) -> None:
        self._choose(QFileDialog.getOpenFileName(self, "Weights of a backbone", "", WEIGHTS)[0])

    def _choose(self, path: str) -> None:
        if path:
            self.path_chosen.emit(path)


def _details(row: BackboneRow) -> str:
    size = f"{row.parameters / 1e6:,.1f} million parameters" if row.parameters else "size unknown"
    place = "bundled" if row.embedded else row.folder
    return f"{place} · {size} · weights {row.sha256[:_HASH_DIGITS_COMPARED] or 'not yet known'}"
