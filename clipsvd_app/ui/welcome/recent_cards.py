"""Recent projects as cards that keys reach: Enter opens one, Delete takes it from the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.page_parts import GAP, label
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.theme import Palette, Theme, set_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from clipsvd_app.ui.welcome.state import RecentState

CARD_PX = QSize(292, 178)
PICTURES_PX = 80
MOST_PICTURES = 3


class RecentCards(QWidget):
    """The cards in as many columns as there is room for.

    Signals: ``opened(str)`` and ``forgotten(str)`` with the path of a card.
    """

    opened = Signal(str)
    forgotten = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cards: dict[str, RecentCard] = {}
        self._columns = 1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP * 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def set_projects(self, states: Sequence[RecentState]) -> None:
        """Show these projects, in this order; cards that stay keep their pictures and the focus."""
        kept = {state.path: self._cards.pop(state.path, None) for state in states}
        for card in self._cards.values():
            card.hide()
            card.deleteLater()
        self._cards = {path: card or self._new_card() for path, card in kept.items()}
        for state in states:
            self._cards[state.path].set_state(state)
        self._lay_out()

    def set_pictures(self, path: str, pictures: Sequence[QImage]) -> None:
        """Give a card its pictures."""
        if path in self._cards:
            self._cards[path].set_pictures(pictures)

    def card(self, path: str) -> RecentCard:
        """Return a project's card."""
        return self._cards[path]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        fit = max(1, (self.width() + GAP * 2) // (CARD_PX.width() + GAP * 2))
        if fit != self._columns:
            self._columns = fit
            self._lay_out()

    def minimumSizeHint(self) -> QSize:
        return QSize(CARD_PX.width(), super().minimumSizeHint().height())

    def _new_card(self) -> RecentCard:
        card = RecentCard(self._theme, self)
        card.opened.connect(self.opened)
        card.forgotten.connect(self.forgotten)
        return card

    def _lay_out(self) -> None:
        while self._grid.takeAt(0) is not None:
            pass
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        for place, card in enumerate(self._cards.values()):
            self._grid.addWidget(card, place // self._columns, place % self._columns)
        self._grid.setColumnStretch(self._columns, 1)


class RecentCard(QWidget):
    """A button that opens a project, with a small one that takes it from the list."""

    opened = Signal(str)
    forgotten = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = ""
        self.button = QPushButton()
        self.forget = destructive(QToolButton())
        self.forget.setToolTip("Remove from this list (Delete). The project is not deleted.")
        self.pictures = _Pictures(theme)
        self._name, self._detail, self._opened = label("", wrap=False), label("", "small"), label("", "small")
        font = self._name.font()
        font.setWeight(font.Weight.DemiBold)
        self._name.setFont(font)
        inside = QVBoxLayout(self.button)
        inside.setContentsMargins(GAP + 4, GAP + 4, GAP + 4, GAP)
        inside.setSpacing(2)
        inside.addWidget(self.pictures)
        inside.addSpacing(4)
        for line in (self._name, self._detail, self._opened):
            inside.addWidget(line)
        inside.addStretch(1)
        parts: tuple[QWidget, ...] = (self.pictures, self._name, self._detail, self._opened)
        for part in parts:
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        whole = QGridLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.button, 0, 0)
        whole.addWidget(self.forget, 0, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        self.button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFixedSize(CARD_PX)
        self.button.clicked.connect(lambda: self.opened.emit(self._path))
        self.forget.clicked.connect(lambda: self.forgotten.emit(self._path))
        theme.changed.connect(self._tint)
        self._tint(theme.palette)

    def set_state(self, state: RecentState) -> None:
        """Show a project; one that cannot be opened says why and is not opened."""
        self._path = state.path
        metrics, width = self._name.fontMetrics(), CARD_PX.width() - 2 * GAP - 12
        self._name.setText(metrics.elidedText(state.name, Qt.TextElideMode.ElideMiddle, width))
        self._detail.setText(state.error or state.detail)
        set_kind(self._detail, "warning" if state.error else "small")
        self._opened.setText(state.opened)
        self._opened.setVisible(not state.error)
        self.button.setEnabled(not state.error)
        self.button.setToolTip(state.path)
        self.button.setAccessibleName(f"Open {state.name}")
        self.button.setAccessibleDescription(f"{state.error or state.detail} {state.opened}".strip())
        self.forget.setAccessibleName(f"Remove {state.name} from this list")

    def set_pictures(self, pictures: Sequence[QImage]) -> None:
        """Show pictures of the project."""
        self.pictures.set_pictures(pictures)

    def text(self) -> str:
        """Return what the card says."""
        return f"{self._name.text()} {self._detail.text()} {self._opened.text()}".strip()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.forgotten.emit(self._path)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.button.isEnabled():
            self.opened.emit(self._path)
        else:
            super().keyPressEvent(event)

    def _tint(self, palette: Palette) -> None:
        self.forget.setIcon(icons.icon("close", palette))


class _Pictures(QWidget):
    """Up to three square pictures beside each other, or the sign of a project."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._pictures: tuple[QImage, ...] = ()
        self.setFixedHeight(PICTURES_PX)
        theme.changed.connect(lambda _palette: self.update())

    @property
    def count(self) -> int:
        """How many pictures are shown."""
        return len(self._pictures)

    def set_pictures(self, pictures: Sequence[QImage]) -> None:
        """Show these."""
        self._pictures = tuple(pictures[:MOST_PICTURES])
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        palette = self._theme.palette
        for place, picture in enumerate(self._pictures):
            area = QRectF(place * (PICTURES_PX + GAP // 2), 0, PICTURES_PX, PICTURES_PX)
            rounded = QPainterPath()
            rounded.addRoundedRect(area, 4, 4)
            painter.setClipPath(rounded)
            painter.drawImage(area, picture)
        painter.setClipping(False)
        if not self._pictures:
            sign = icons.pixmap("label", palette.color("text_faint"), 32, self.devicePixelRatioF())
            painter.drawPixmap(4, (PICTURES_PX - 32) // 2, sign)
        painter.end()
