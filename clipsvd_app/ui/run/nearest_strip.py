"""A few cases as small pictures; a click opens one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import GAP, empty, label
from clipsvd_app.ui.look.class_colours import class_icon

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.ui.run.state import NearCase

_SIDE_PX = 50
MOST_LIKE = "Most similar training images"


class NearestStrip(QWidget):
    """Signals: ``case_opened(image_id)``, ``thumbnails_wanted(tuple of image ids)``."""

    case_opened = Signal(int)
    thumbnails_wanted = Signal(object)

    def __init__(
        self, title: str = MOST_LIKE, kind: str = "training case", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._buttons: dict[int, QToolButton] = {}
        self._row = horizontal(spacing=GAP - 2)
        whole = vertical(self, GAP - 4)
        whole.addWidget(label(title, "section"))
        whole.addLayout(self._row)

    def set_cases(self, cases: tuple[NearCase, ...], class_names: tuple[str, ...]) -> None:
        """Show cases; without any the strip hides."""
        self.setVisible(bool(cases))
        empty(self._row)
        self._buttons = {}
        for case in cases:
            self._buttons[case.image_id] = self._button(case, class_names)
            self._row.addWidget(self._buttons[case.image_id])
        self._row.addStretch(1)
        if cases:
            self.thumbnails_wanted.emit(tuple(case.image_id for case in cases))

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture that was asked for."""
        if image_id in self._buttons:
            side = round(_SIDE_PX * self.devicePixelRatioF())
            fitted = picture.scaled(
                side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            self._buttons[image_id].setIcon(QIcon(QPixmap.fromImage(fitted)))

    def image_ids(self) -> tuple[int, ...]:
        """Return what is shown, the most alike first."""
        return tuple(self._buttons)

    def open_at(self, place: int) -> None:
        """Open the case at a place, as a click on it does."""
        tuple(self._buttons.values())[place].click()

    def _button(self, case: NearCase, class_names: tuple[str, ...]) -> QToolButton:
        shown = QToolButton()
        shown.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        shown.setIconSize(QSize(_SIDE_PX, _SIDE_PX))
        shown.setFixedSize(_SIDE_PX + 6, _SIDE_PX + 6)
        called = "" if case.label is None else f", labelled “{class_names[case.label]}”"
        shown.setToolTip(f"{case.caption}{called}")
        shown.setAccessibleName(f"Open the {self._kind} {case.caption}{called}")
        if case.label is not None:
            shown.setIcon(class_icon(case.label))
        shown.clicked.connect(lambda: self.case_opened.emit(case.image_id))
        return shown
