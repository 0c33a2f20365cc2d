"""The Explain page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.ui.explain.case_tab import CaseTab
from clipsvd_app.ui.explain.change_tab import ChangeTab
from clipsvd_app.ui.explain.state import ExplainState
from clipsvd_app.ui.explain.trust_tab import TrustTab
from clipsvd_app.ui.kit.drops import dropped_paths
from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.page_parts import GAP, choice, fill_choice, label
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage

    from clipsvd_app.ui.explain.state import CaseView, PacksState, Progress
    from clipsvd_app.ui.look.theme import Theme

TabName = Literal["change", "case", "trust"]
TAB_TITLES: dict[TabName, str] = {"change": "What changed", "case": "This case", "trust": "Controls"}
NOTHING_TO_EXPLAIN = EmptySpec(
    icon="explain",
    headline="No run to explain yet",
    sentence="Train a model to see which parts of it changed, and how.",
    actions=(EmptyAction("train", "Go to Train", primary=True),),
)


class ExplainPage(QWidget):
    """Three questions as tabs: what changed, why this case, and how far to trust it.

    Signals: ``run_chosen(int)``, ``case_opened(image_id)``, ``file_dropped(path)``,
    ``thumbnails_wanted(tuple of image ids)``, ``occlusion_wanted(image_id)``, ``case_cancelled(image_id)``,
    ``explain_again()``, ``run_cancelled()``, ``pack_dropped(path)``, ``pack_removed(name)``,
    ``empty_action(str)``, ``trouble(UserError)`` from saving.
    """

    run_chosen = Signal(int)
    case_opened = Signal(int)
    file_dropped = Signal(str)
    thumbnails_wanted = Signal(object)
    occlusion_wanted = Signal(int)
    case_cancelled = Signal(int)
    explain_again = Signal()
    run_cancelled = Signal()
    pack_dropped = Signal(str)
    pack_removed = Signal(str)
    empty_action = Signal(str)
    trouble = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self._state = ExplainState()
        self._runs = choice("Run")
        self.change, self.case, self.trust = ChangeTab(), CaseTab(theme), TrustTab()
        self._tabs = QTabWidget()
        self._empty = EmptyState(theme, NOTHING_TO_EXPLAIN)
        self._whole = QStackedWidget()
        self._arrange()
        self._connect()
        self._whole.setCurrentIndex(1)
        self.setFocusProxy(self._empty)

    def set_state(self, state: ExplainState) -> None:
        """Show a run's explanation; the case shown before is taken away."""
        self._state = state
        self._whole.setCurrentIndex(1 if state.run is None else 0)
        self.setFocusProxy(self._empty if state.run is None else self._tabs)
        self._show_runs()
        for tab in (self.change, self.case, self.trust):
            tab.set_state(state)

    def set_case(self, view: CaseView | None) -> None:
        """Show a case."""
        self.case.set_case(view)
        self.trust.set_case(view)

    def set_case_progress(self, progress: Progress | None) -> None:
        """Show how far another map of the case on show has come."""
        self.case.map.set_progress(progress)

    def set_run_progress(self, progress: Progress | None) -> None:
        """Show how far explaining the run anew has come."""
        self.change.set_progress(progress)

    def set_packs(self, state: PacksState) -> None:
        """Show the user's packs of phrases."""
        self.trust.packs.set_state(state)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture that was asked for."""
        self.case.chooser.set_thumbnail(image_id, picture)
        self.change.set_thumbnail(image_id, picture)

    @property
    def tab(self) -> TabName:
        """The tab in front."""
        return tuple(TAB_TITLES)[self._tabs.currentIndex()]

    def show_tab(self, name: TabName) -> None:
        """Bring a tab to the front."""
        self._tabs.setCurrentIndex(tuple(TAB_TITLES).index(name))

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

    def _arrange(self) -> None:
        self._tabs.tabBar().setDrawBase(False)
        for tab, title in zip((self.change, self.case, self.trust), TAB_TITLES.values(), strict=True):
            self._tabs.addTab(tab, title)
        self._tabs.setMinimumWidth(500)
        top = QHBoxLayout()
        top.addWidget(self._runs)
        top.addStretch(1)
        content = QWidget()
        whole = QVBoxLayout(content)
        whole.setContentsMargins(GAP * 2, GAP + 4, GAP * 2, GAP)
        whole.setSpacing(GAP)
        whole.addLayout(top)
        whole.addWidget(self._tabs, 1)
        whole.addWidget(label(NOT_DIAGNOSTIC, "small"))
        self._whole.addWidget(content)
        self._whole.addWidget(self._empty)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._whole)

    def _connect(self) -> None:
        self._runs.activated.connect(lambda row: self.run_chosen.emit(self._state.runs[row].number))
        self._empty.action_requested.connect(self.empty_action)
        self.change.explain_again.connect(self.explain_again)
        self.change.cancel_requested.connect(self.run_cancelled)
        for source in (self.change, self.case):
            source.case_opened.connect(self.case_opened)
            source.thumbnails_wanted.connect(self.thumbnails_wanted)
        self.case.occlusion_wanted.connect(self.occlusion_wanted)
        self.case.cancel_requested.connect(self.case_cancelled)
        packs = self.trust.packs
        packs.pack_dropped.connect(self.pack_dropped)
        packs.remove_requested.connect(self.pack_removed)
        packs.explain_again.connect(self.explain_again)
        for part in (self.change, self.case, self.trust):
            part.trouble.connect(self.trouble)

    def _show_runs(self) -> None:
        numbers = [run.number for run in self._state.runs]
        place = numbers.index(self._state.run) if self._state.run in numbers else 0
        fill_choice(self._runs, [run.title for run in self._state.runs], place)
