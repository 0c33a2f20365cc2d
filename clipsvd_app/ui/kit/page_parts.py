"""The pieces that pages are put together from: cards, labels, facts, banners and choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QWidget,
)

from clipsvd_app.ui.kit.choice import Choice
from clipsvd_app.ui.kit.elided_label import ElidedLabel
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.look.inks import palette_in_force
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QResizeEvent
    from PySide6.QtWidgets import QComboBox, QLayout

GAP = 8
Level = Literal["info", "success", "warning", "error"]


class Card(QFrame):
    """A raised region; widgets go into ``body``, small ones beside the title into ``head``."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "card")
        column = vertical(self, GAP + 4, margins=(GAP * 2, GAP * 2 - 4, GAP * 2, GAP * 2))
        self.head = horizontal(spacing=GAP)
        self.body = vertical(spacing=GAP)
        self._title = one_line(title, "headline")
        if title:
            self.head.addWidget(self._title)
            self.head.addStretch(1)
            column.addLayout(self.head)
        column.addLayout(self.body, 1)

    def set_title(self, title: str) -> None:
        """Say something else in the title line."""
        self._title.setText(title)

    def minimumSizeHint(self) -> QSize:
        # Splitters and stacks ask for no height by width, and would print wrapped lines over each other.
        least, layout = super().minimumSizeHint(), self.layout()
        assert layout is not None
        return QSize(least.width(), max(least.height(), layout.minimumHeightForWidth(self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()


class Banner(QFrame):
    """One coloured line of importance: a mark, a headline, a sentence. The mark carries it without colour."""

    _MARKS: dict[Level, str] = {"info": "i", "success": "✓", "warning": "!", "error": "✗"}  # noqa: RUF012

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level: Level = "info"
        self._headline = label("", "headline")
        self._sentence = label("")
        column = vertical(self, 2, margins=(GAP * 7, GAP + 4, GAP * 2, GAP + 4))
        column.addWidget(self._headline)
        column.addWidget(self._sentence)

    def show_text(self, level: Level, headline: str, sentence: str = "") -> None:
        """Show a headline and a sentence at a level of importance."""
        self._level = level
        self._headline.setText(headline)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self.setAccessibleName(headline)
        self.setAccessibleDescription(sentence)
        self.update()

    def text(self) -> str:
        """Return headline and sentence as shown."""
        return f"{self._headline.text()} {self._sentence.text()}".strip()

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = palette_in_force()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(f"{self._level}_soft"))
        painter.drawRoundedRect(area, 8, 8)
        disc = QRectF(GAP * 2, area.center().y() - 14, 28, 28)
        painter.setBrush(palette.color(self._level))
        painter.drawEllipse(disc)
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(palette.color("panel"))
        painter.drawText(disc, int(Qt.AlignmentFlag.AlignCenter), self._MARKS[self._level])
        painter.end()


class Facts(QWidget):
    """Pairs of a muted name and its value, in two columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP * 2)
        self._grid.setVerticalSpacing(GAP - 2)
        self._grid.setColumnStretch(1, 1)

    def set_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Show these pairs."""
        empty(self._grid)
        for row, (name, value) in enumerate(facts):
            shown = label(value)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(label(name, "muted", wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(shown, row, 1)


class Lines(QWidget):
    """Sentences one below the other, each with a mark in front."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = vertical(self, GAP - 2)

    def set_lines(self, lines: Iterable[tuple[str, str, str]]) -> None:
        """Show (mark, sentence, label kind) triples; without any the widget hides."""
        empty(self._column)
        shown = tuple(lines)
        for mark, sentence, kind in shown:
            row = horizontal(spacing=GAP)
            sign = label(mark, kind, wrap=False)
            sign.setFixedWidth(16)
            row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(label(sentence, "" if kind == "success" else kind), 1, Qt.AlignmentFlag.AlignTop)
            self._column.addLayout(row)
        self._column.addStretch(1)
        self.setVisible(bool(shown))


class ChoiceCard(QPushButton):
    """A choice that explains itself: a title, a line on what it does, and a short fact on the right."""

    def __init__(self, title: str, explanation: str, fact: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setAutoExclusive(False)
        self.setAccessibleName(title)
        self.setAccessibleDescription(f"{explanation} {fact}".strip())
        heading = label(title, "", wrap=False)
        font = heading.font()
        font.setWeight(font.Weight.DemiBold)
        heading.setFont(font)
        self._fact = label(fact, "small", wrap=False)
        self._explanation = label(explanation, "small")
        column = vertical(self, 2, margins=(GAP + 4, GAP, GAP + 4, GAP))
        top = QHBoxLayout()
        top.addWidget(heading)
        top.addStretch(1)
        top.addWidget(self._fact)
        column.addLayout(top)
        column.addWidget(self._explanation)
        for part in (heading, self._fact, self._explanation):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)

    def set_fact(self, fact: str) -> None:
        """Change the fact on the right."""
        self._fact.setText(fact)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        assert layout is not None
        width = self.width() if self.width() > 120 else 320
        return QSize(240, max(layout.heightForWidth(width), layout.minimumSize().height()) + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()


class ChoiceGroup(QWidget):
    """Choice cards of which exactly one is chosen; arrow keys and Tab reach each."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: dict[str, ChoiceCard] = {}
        self._column = vertical(self, GAP - 2)

    def set_choices(self, choices: Iterable[tuple[str, str, str, str]], current: str) -> None:
        """Show (key, title, explanation, fact) and mark the current key."""
        wanted = tuple(choices)
        if tuple(key for key, *_ in wanted) != tuple(self._cards):
            self._rebuild(wanted)
        for key, _, _, fact in wanted:
            self._cards[key].set_fact(fact)
            self._cards[key].setChecked(key == current)

    def current(self) -> str:
        """Return the key of the marked card, empty when there is none."""
        return next((key for key, card in self._cards.items() if card.isChecked()), "")

    def card(self, key: str) -> ChoiceCard:
        """Return one card."""
        return self._cards[key]

    def _rebuild(self, choices: tuple[tuple[str, str, str, str], ...]) -> None:
        empty(self._column)
        self._cards = {}
        for key, title, explanation, fact in choices:
            card = ChoiceCard(title, explanation, fact)
            card.clicked.connect(lambda _checked=False, key=key: self._choose(key))
            self._cards[key] = card
            self._column.addWidget(card)

    def _choose(self, key: str) -> None:
        for other, card in self._cards.items():
            card.setChecked(other == key)
        self.chosen.emit(key)


def label(text: str, kind: str = "", *, wrap: bool = True) -> QLabel:
    """Return a label in one of the looks of the style sheet; what is shown is never read as markup."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setWordWrap(wrap)
    if kind:
        set_kind(result, kind)
    return result


def one_line(text: str = "", kind: str = "") -> ElidedLabel:
    """Return a label for words of any length: shortened where room is short, whole in its tooltip."""
    result = ElidedLabel(text)
    if kind:
        set_kind(result, kind)
    return result


def button(text: str, kind: str = "", hint: str = "") -> QPushButton:
    """Return a button in one of the looks of the style sheet."""
    result = QPushButton(text)
    if kind:
        set_kind(result, kind)
    if hint:
        result.setToolTip(hint)
    return result


def choice(name: str) -> Choice:
    """Return a drop-down; ``name`` is what a screen reader calls it."""
    return Choice(name)


class _Scrolled(QScrollArea):
    """Scrolls vertically only, so it is never narrower than what it holds."""

    def minimumSizeHint(self) -> QSize:
        least, content = super().minimumSizeHint(), self.widget()
        if content is None:
            return least
        bar = self.verticalScrollBar().sizeHint().width()
        needed = content.minimumWidth() or content.minimumSizeHint().width()
        return QSize(max(least.width(), needed + bar), least.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


def fill_choice(box: QComboBox, titles: Sequence[str], place: int) -> None:
    """Offer these and show one, without a signal; where they are offered already, an open list stays open."""
    blocked = box.blockSignals(True)
    if [box.itemText(row) for row in range(box.count())] != list(titles):
        box.clear()
        box.addItems(list(titles))
    if box.currentIndex() != place:
        box.setCurrentIndex(place)
    box.blockSignals(blocked)


def scrolled(content: QWidget) -> QScrollArea:
    """Return a borderless area in which ``content`` scrolls vertically."""
    content.setObjectName("content")
    area = _Scrolled()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def column(*widgets: QWidget, stretch_end: bool = True) -> QWidget:
    """Return a widget with others one below the other."""
    holder = QWidget()
    layout = vertical(holder, GAP * 2)
    for widget in widgets:
        layout.addWidget(widget)
    if stretch_end:
        layout.addStretch(1)
    return holder


def split(orientation: Qt.Orientation, *parts: tuple[QWidget, int]) -> QSplitter:
    """Return a splitter of (widget, stretch) whose gaps look like the space between cards."""
    result = QSplitter(orientation)
    result.setHandleWidth(GAP * 2)
    result.setChildrenCollapsible(False)
    result.setStyleSheet("QSplitter::handle { background: transparent; width: 16px; height: 16px; }")
    for position, (widget, stretch) in enumerate(parts):
        result.addWidget(widget)
        result.setStretchFactor(position, stretch)
    return result


class Fold(QWidget):
    """Parts that are shown once their line is pressed; what was unfolded stays so."""

    def __init__(self, title: str, *parts: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._line = button("", "quiet")
        self._line.setCheckable(True)
        self._body = column(*parts)
        whole = vertical(self, GAP)
        whole.addWidget(self._line, 0, Qt.AlignmentFlag.AlignLeft)
        whole.addWidget(self._body)
        self._line.toggled.connect(self.set_open)
        self.set_open(False)

    def set_open(self, is_open: bool) -> None:
        """Show or hide the parts."""
        self._line.setChecked(is_open)
        self._line.setText(f"{'▾' if is_open else '▸'} {self._title}")
        self._body.setVisible(is_open)


class SideBySide(QWidget):
    """Parts of equal width beside each other where there is room, else one below the other."""

    def __init__(self, *parts: QWidget, from_width_px: int = 720, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._from_width_px = from_width_px
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(GAP * 2)
        for part in parts:
            self._box.addWidget(part, 1)

    def minimumSizeHint(self) -> QSize:
        # The width of one part: the parts move below each other before they would not fit.
        widths = [part.minimumSizeHint().width() for part in self._parts()]
        return QSize(max(widths, default=0), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        wide = event.size().width() >= self._from_width_px
        wanted = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if wanted != self._box.direction():
            self._box.setDirection(wanted)
        super().resizeEvent(event)

    def _parts(self) -> list[QWidget]:
        items = (self._box.itemAt(place) for place in range(self._box.count()))
        return [widget for item in items if item is not None and (widget := item.widget()) is not None]


def empty(layout: QLayout) -> None:
    """Take all widgets and layouts out of a layout and delete them."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            empty(inner)
            inner.deleteLater()
