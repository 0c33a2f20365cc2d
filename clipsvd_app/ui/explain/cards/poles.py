"""One direction: what it changed by, both poles in words, and the images that drive it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clipsvd_app.figures.towers import NO_WORDS
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, SideBySide, label
from clipsvd_app.ui.run.nearest_strip import NearestStrip

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from clipsvd_app.domain.results.explanation import DirectionChange, Phrase
    from clipsvd_app.ui.run.state import NearCase

HINT = "Click a direction, or use the arrow keys, to see both poles and the most extreme images."
_UNREAD = "Only the amount of change is shown: this matrix does not write to the output of the image encoder."


class _Pole(QWidget):
    """One end of a direction."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = label("")
        self.strip = NearestStrip("Most extreme images", "image")
        column = vertical(self, GAP - 2)
        column.addWidget(label(title, "section"))
        column.addWidget(self._words)
        column.addWidget(self.strip)
        column.addStretch(1)

    def show_pole(
        self, phrases: tuple[Phrase, ...], cases: tuple[NearCase, ...], names: tuple[str, ...]
    ) -> None:
        """Show phrases with their cosines and the images of this side."""
        self._words.setText("\n".join(f"{p.text} ({p.score:.2f})" for p in phrases) or NO_WORDS)
        self._words.setEnabled(bool(phrases))
        self.strip.set_cases(cases, names)

    def words(self) -> str:
        """Return the words shown."""
        return self._words.text()


class Poles(QWidget):
    """Signals: ``case_opened(image_id)``, ``thumbnails_wanted(tuple of image ids)``."""

    case_opened = Signal(int)
    thumbnails_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._headline = label(HINT, "muted")
        self.positive, self.negative = _Pole("One pole"), _Pole("Other pole")
        self._both = SideBySide(self.positive, self.negative, from_width_px=520)
        column = vertical(self, GAP)
        column.addWidget(self._headline)
        column.addWidget(self._both)
        for pole in (self.positive, self.negative):
            pole.strip.case_opened.connect(self.case_opened)
            pole.strip.thumbnails_wanted.connect(self.thumbnails_wanted)
        self._both.hide()

    def set_direction(
        self,
        direction: DirectionChange | None,
        title: str = "",
        cases: dict[int, NearCase] | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        """Show a direction; ``cases`` are what is known of the project's images."""
        self._both.setVisible(direction is not None)
        if direction is None:
            self._headline.setText(HINT)
            return
        self._headline.setText(_headline(direction, title))
        known = cases or {}
        for pole, phrases, ids in (
            (self.positive, direction.positive, direction.images_towards),
            (self.negative, direction.negative, direction.images_against),
        ):
            pole.show_pole(phrases, tuple(known[i] for i in ids if i in known), names)

    def headline(self) -> str:
        """Return what is said of the direction as a whole."""
        return self._headline.text()

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Hand in a picture that was asked for."""
        for pole in (self.positive, self.negative):
            pole.strip.set_thumbnail(image_id, picture)


def _headline(direction: DirectionChange, title: str) -> str:
    verb = "strengthened" if direction.sigma > direction.sigma_base else "weakened"
    change = f"{title}: {verb}, from {direction.sigma_base:.3g} to {direction.sigma:.3g}."
    if direction.threshold is None:
        return f"{change} {_UNREAD}"
    return f"{change} A phrase is shown if its cosine similarity exceeds {direction.threshold:.2f}."
