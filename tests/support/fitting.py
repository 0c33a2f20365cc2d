"""Whether a window fits: no text cut off or shortened without a tooltip, no text on text, nothing outside.

Every visible widget is asked for what it writes (``seen_text``), so painted widgets, tables and headers need
no protocol of their own: what is cut is what is written beyond the widget, what is shortened has a “…”.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QMargins, QPoint, QPointF, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
    QScrollBar,
    QSlider,
    QSplitter,
    QSplitterHandle,
    QStackedWidget,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QTextEdit,
    QWidget,
)
from support.seen_text import Written, texts_of

from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.plots.plot_widget import PlotWidget
from clipsvd_app.ui.label.classes.name_field import NameField

if TYPE_CHECKING:
    from collections.abc import Iterator

SLACK_PX = 2  # of side bearings and rounding
SLACK = QMargins(SLACK_PX, SLACK_PX, SLACK_PX, SLACK_PX)
OVERLAP_PX = 3
TYPED_INTO = (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox)  # their text scrolls with the cursor
# The style sheet gives the figure of a progress bar no colour.
WORDLESS = (
    QWidget,
    QFrame,
    QProgressBar,
    QScrollArea,
    QScrollBar,
    QSlider,
    QSplitter,
    QSplitterHandle,
    QStackedWidget,
)
SCROLLS = Qt.ScrollBarPolicy.ScrollBarAlwaysOff


def faults(window: QWidget) -> list[str]:
    """Return one line for everything in a window that does not fit."""
    family = list(_family(window))
    readable = [widget for widget in family if _is_seen(widget) and _is_read(widget)]
    written = [(widget, texts_of(widget)) for widget in readable]
    return [
        *(line for widget in family for line in _outside(widget)),
        *(line for widget in (window, *family) for line in _overlapping(widget)),
        *(line for widget, texts in written for line in _cut(widget, texts)),
        *_text_on_text(window, written),
    ]


def _family(parent: QWidget) -> Iterator[QWidget]:
    """Find the visible widgets below one, without windows above it."""
    for child in parent.children():
        if isinstance(child, QWidget) and child.isVisible() and not child.isWindow():
            yield child
            yield from _family(child)


def _is_seen(widget: QWidget) -> bool:
    return not widget.size().isEmpty() and not widget.visibleRegion().isEmpty()


def _outside(widget: QWidget) -> Iterator[str]:
    """Find a widget that reaches beyond its parent, where no scroll area brings it back."""
    parent = widget.parentWidget()
    area = parent.parentWidget()
    if isinstance(area, QAbstractScrollArea) and parent is area.viewport():
        yield from _beyond_viewport(widget, area)
    elif not parent.rect().marginsAdded(SLACK).contains(widget.geometry()):
        place = f"{_rect(widget.geometry())} of {_rect(parent.rect())}"
        yield f"outside: {_named(widget)} {place} in {_named(parent)}"


def _beyond_viewport(widget: QWidget, area: QAbstractScrollArea) -> Iterator[str]:
    """A scroll area may hide what it can scroll to, but only in the directions in which it scrolls."""
    if not isinstance(area, QScrollArea):
        return
    view = area.viewport().rect()
    if area.horizontalScrollBarPolicy() == SCROLLS and widget.width() > view.width() + SLACK_PX:
        yield f"outside: {_named(widget)} is {widget.width()} wide in a view of {view.width()}"
    if area.verticalScrollBarPolicy() == SCROLLS and widget.height() > view.height() + SLACK_PX:
        yield f"outside: {_named(widget)} is {widget.height()} high in a view of {view.height()}"


def _overlapping(parent: QWidget) -> Iterator[str]:
    """Find widgets of one layout or splitter that lie on each other."""
    placed = _placed(parent)
    for place, one in enumerate(placed):
        for other in placed[place + 1 :]:
            shared = one.geometry().intersected(other.geometry())
            overlaps = shared.width() > OVERLAP_PX and shared.height() > OVERLAP_PX
            if overlaps and not _in_one_cell(parent, one, other):
                yield f"overlap: {_named(one)} and {_named(other)} share {_rect(shared)}"


def _in_one_cell(parent: QWidget, one: QWidget, other: QWidget) -> bool:
    """Tell whether two widgets were put into one cell, as a small button over the corner of a card."""
    layout = parent.layout()
    return isinstance(layout, QGridLayout) and layout.getItemPosition(
        layout.indexOf(one)
    ) == layout.getItemPosition(layout.indexOf(other))


def _placed(parent: QWidget) -> list[QWidget]:
    layout = parent.layout()
    if isinstance(parent, QStackedWidget) or (layout is None and not isinstance(parent, QSplitter)):
        return []
    children = [
        child
        for child in parent.children()
        if isinstance(child, QWidget) and child.isVisible() and not child.isWindow()
    ]
    if isinstance(parent, QSplitter):
        return [child for child in children if not isinstance(child, QSplitterHandle)]
    return [child for child in children if _holds(layout, child)]


def _holds(layout, child: QWidget) -> bool:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        if item.widget() is child or (item.layout() is not None and _holds(item.layout(), child)):
            return True
    return False


def _is_read(widget: QWidget) -> bool:
    """Tell whether a widget's words are for reading; what is typed scrolls with the cursor."""
    above = widget.parentWidget()
    painted_by_view = isinstance(above, QAbstractScrollArea) and not isinstance(above, QScrollArea)
    if type(widget) in WORDLESS and not painted_by_view:
        return False
    typed = isinstance(widget, TYPED_INTO) or isinstance(above, TYPED_INTO)
    return not typed or isinstance(widget, NameField)


def _cut(widget: QWidget, texts: list[Written]) -> Iterator[str]:
    """Find what a widget writes beyond itself or shortens, where no tooltip has the whole of it."""
    room = _room(widget).marginsAdded(SLACK).toRectF()
    for written in texts:
        shortened = "…" in written.text and written.text not in _own_words(widget, written)
        beyond = not room.contains(written.area) and not _scrolls_to(widget, written)
        if (shortened or beyond) and not _told(widget, written):
            yield f"{'shortened' if shortened else 'cut'}: {_named(widget)} writes {written.text!r}"


def _room(widget: QWidget) -> QRect:
    if not isinstance(widget, QComboBox):
        return widget.rect()
    option = QStyleOptionComboBox()
    widget.initStyleOption(option)
    parts = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
    field = widget.style().subControlRect(parts[0], option, parts[1], widget)
    return QRect(0, 0, field.right() + 1, widget.height())


def _own_words(widget: QWidget, written: Written) -> str:
    """Return the text that a widget was given: an ellipsis of its own is no shortening."""
    view, at = widget.parentWidget(), written.area.center().toPoint()
    if isinstance(view, QHeaderView):
        return str(view.model().headerData(view.logicalIndexAt(at), view.orientation()))
    if isinstance(view, QAbstractItemView):
        return str(view.indexAt(at).data() or "")
    if isinstance(widget, QTabBar):
        return widget.tabText(widget.tabAt(at))
    return _given(widget)


def _given(widget: QWidget) -> str:
    text = getattr(widget, "currentText" if isinstance(widget, QComboBox) else "text", None)
    return str(text()).replace("&&", "&") if callable(text) else ""


def _scrolls_to(widget: QWidget, written: Written) -> bool:
    """Tell whether the rest of a text comes up when the view that paints it is scrolled."""
    view = widget.parentWidget()
    if isinstance(view, QHeaderView):
        return not _section_at(view, written).contains(written.area.center().toPoint()) or (
            written.area.width() <= _section_at(view, written).width() + SLACK_PX
        )
    if not isinstance(view, QAbstractItemView):
        return False
    across = written.area.left() < 0 or written.area.right() > widget.width()
    down = written.area.top() < 0 or written.area.bottom() > widget.height()
    bars = view.horizontalScrollBar().maximum() > 0, view.verticalScrollBar().maximum() > 0
    return (bars[0] or not across) and (bars[1] or not down)


def _section_at(header: QHeaderView, written: Written) -> QRect:
    along = header.orientation() == Qt.Orientation.Horizontal
    centre = written.area.center().toPoint()
    section = header.logicalIndexAt(centre)
    start, size = header.sectionViewportPosition(section), header.sectionSize(section)
    return QRect(start, 0, size, header.height()) if along else QRect(0, start, header.width(), size)


def _told(widget: QWidget, written: Written) -> bool:
    """Tell whether a tooltip at the place of a text holds the whole of it."""
    stem = _plain(re.split("…", written.text, maxsplit=1)[0])
    return any(stem in _plain(tip) for tip in _tips(widget, written))


def _tips(widget: QWidget, written: Written) -> Iterator[str]:
    view = widget.parentWidget()
    centre = written.area.center()
    if isinstance(widget, PlotWidget):
        yield widget.tip_at(QPointF(centre))
    elif view is not None and isinstance(view.parentWidget(), FigureView):
        figure = view.parentWidget()
        yield figure.tip_at(QPointF(view.mapTo(figure, centre.toPoint())))
    elif isinstance(view, QHeaderView):
        section = view.logicalIndexAt(centre.toPoint())
        yield str(view.model().headerData(section, view.orientation(), Qt.ItemDataRole.ToolTipRole) or "")
    elif isinstance(view, QAbstractItemView):
        yield str(view.indexAt(centre.toPoint()).data(Qt.ItemDataRole.ToolTipRole) or "")
    if isinstance(widget, QTabBar):
        yield widget.tabToolTip(widget.tabAt(centre.toPoint()))
    while widget.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents):
        widget = widget.parentWidget()
    yield widget.toolTip()


def _text_on_text(window: QWidget, written: list[tuple[QWidget, list[Written]]]) -> Iterator[str]:
    """Find texts that are printed over each other, within a widget or across widgets."""
    seen: list[tuple[QWidget, Written, QRect]] = []
    for widget, texts in written:
        region = widget.visibleRegion().boundingRect()
        home = widget.mapTo(window, QPoint())
        for text in texts:
            shown = text.area.toAlignedRect().intersected(region).translated(home)
            if not shown.isEmpty() and not _covered(window, widget, shown.center()):
                seen.append((widget, text, shown))
    seen.sort(key=lambda entry: entry[2].top())
    for place, (one, first, area) in enumerate(seen):
        for other, second, beneath in seen[place + 1 :]:
            if beneath.top() >= area.bottom():
                break
            shared = area.intersected(beneath)
            printed_over = shared.width() > OVERLAP_PX and shared.height() > OVERLAP_PX + 1
            if printed_over and first.text != second.text:  # the same twice is an outline or a shadow
                yield f"text on text: {_named(one)} {first.text!r}, {_named(other)} {second.text!r}"


def _covered(window: QWidget, widget: QWidget, at: QPoint) -> bool:
    """Tell whether something lies over a widget on purpose, as messages do over pages."""
    top = window.childAt(at)
    kin = top is None or top is widget or top.isAncestorOf(widget) or widget.isAncestorOf(top)
    return not kin and top.parentWidget() is not widget.parentWidget()


def _plain(text: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", text).replace("\u200b", "").split())


def _named(widget: QWidget) -> str:
    words = widget.accessibleName() or _given(widget) or widget.objectName()
    chain = [type(widget).__name__]
    above = widget.parentWidget()
    while above is not None and len(chain) < 3:
        chain.append(type(above).__name__)
        above = above.parentWidget()
    return f"{' in '.join(chain)} “{words[:40]}”"


def _rect(area: QRect) -> str:
    return f"{area.width()}x{area.height()}+{area.x()}+{area.y()}"
