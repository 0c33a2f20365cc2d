"""The Explain page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from clipsvd_app.ui.explain.case_tab import CaseTab
from clipsvd_app.ui.explain.change_tab import ChangeTab
from clipsvd_app.ui.explain.state import ExplainState
from clipsvd_app.ui.explain.trust_tab import TrustTab
from clipsvd_app.ui.kit.drops import dropped_paths
from clipsvd_app.ui.run.run_page import RunPage
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.explain.state import CaseView
    from clipsvd_app.ui.look.theme import Theme

NOTHING_TO_EXPLAIN = EmptySpec(
    icon="explain",
    headline="No run to explain yet",
    sentence="Train a model to see which parts of it changed, and how.",
    actions=(EmptyAction("train", "Go to Train", primary=True),),
)


class ExplainPage(RunPage):
    """Three questions as tabs: what changed, why this case, and how far to trust it.

    Signals beside those of every page of a run: ``file_dropped(path)``, ``explain_again()``,
    ``pack_dropped(path)``.
    """

    file_dropped = Signal(str)
    explain_again = Signal()
    pack_dropped = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, NOTHING_TO_EXPLAIN, parent)
        self.change = self.add_tab("change", "What changed", ChangeTab())
        self.case = self.add_tab("case", "This case", CaseTab(theme))
        self.trust = self.add_tab("trust", "Controls", TrustTab())
        self.setAcceptDrops(True)
        self._state = ExplainState()
        self._top.addStretch(1)
        self._lay_out(self._below_top())
        self._connect()

    def set_state(self, state: ExplainState) -> None:
        """Show a run's explanation; the case shown before is taken away."""
        self._state = state
        self.set_runs(state.runs, state.run)
        for tab in (self.change, self.case, self.trust):
            tab.set_state(state)

    def set_case(self, view: CaseView | None) -> None:
        """Show a case."""
        self.case.set_case(view)
        self.trust.set_case(view)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture that was asked for."""
        self.case.chooser.set_thumbnail(image_id, picture)
        self.change.set_thumbnail(image_id, picture)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._own_path(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = self._own_path(event)
        assert path is not None
        event.acceptProposedAction()
        if path.lower().endswith(".csv"):
            self.pack_dropped.emit(path)
        else:
            self.file_dropped.emit(path)

    def _own_path(self, event: QDropEvent) -> str | None:
        """Return a single dropped table or image; folders, projects and adapters are the window's."""
        paths = dropped_paths(event.mimeData())
        theirs = (".clipsvd", ".safetensors", ".zip")
        known = len(paths) == 1 and self._state.run is not None
        return paths[0] if known and not paths[0].lower().endswith((*theirs, "/")) else None

    def _connect(self) -> None:
        self.change.explain_again.connect(self.explain_again)
        for source in (self.change, self.case):
            source.case_opened.connect(self.case_opened)
            source.thumbnails_wanted.connect(self.thumbnails_wanted)
        packs = self.trust.packs
        packs.pack_dropped.connect(self.pack_dropped)
        packs.explain_again.connect(self.explain_again)
        for part in (self.change, self.case, self.trust):
            part.failed.connect(self.failed)
