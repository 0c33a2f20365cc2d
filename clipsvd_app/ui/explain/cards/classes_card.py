"""What distinguishes the classes, one class at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.phrases import class_phrases_figure
from clipsvd_app.ui.explain.cards.part_card import PartCard
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.page_parts import choice, label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.explanation import ClassChange, ClassReading, RunExplanation
    from clipsvd_app.domain.words.statement import Statement

_TITLE = "What distinguishes the classes"
_ABSENT = (
    "Not available: it needs an estimate on unseen patients, whose fits are not stored, so"
    " “Explain again” cannot add it. If every class has enough patients, train again."
)


class ClassesCard(PartCard):
    """The phrases of the class that is chosen, or why there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.phrases = FigureView("Phrases of one class")
        super().__init__(_TITLE, self.phrases, parent)
        self._changes: tuple[ClassChange, ...] = ()
        self._names: tuple[str, ...] = ()
        self._class = choice("Class to show")
        self._note = label("", "muted")
        self.head.insertWidget(2, self._class)
        self.body.insertWidget(1, self._note)
        self._class.currentIndexChanged.connect(self._show)

    def set_run(
        self, found: RunExplanation, names: tuple[str, ...], statements: tuple[Statement, ...]
    ) -> None:
        """Show a run, first the class with the most to say."""
        self._changes, self._names = found.classes, names
        self.set_words(*statements, shown=False)
        self._class.blockSignals(True)
        self._class.clear()
        self._class.addItems([names[change.label] for change in found.classes])
        said = [len(change.told_after()) for change in found.classes]
        self._class.setCurrentIndex(said.index(max(said)) if said else -1)
        self._class.blockSignals(False)
        self._class.setVisible(len(said) > 1)
        self._show()

    def choose(self, place: int) -> None:
        """Show another class."""
        self._class.setCurrentIndex(place)

    def note(self) -> str:
        """Return what is said of the chosen class."""
        return self._note.text()

    def _show(self) -> None:
        place = self._class.currentIndex()
        change = self._changes[place] if 0 <= place < len(self._changes) else None
        name = "" if change is None else self._names[change.label]
        self.phrases.set_figure(class_phrases_figure(change, name))
        self.phrases.setVisible(change is not None and bool(change.phrases))
        self._note.setText(_ABSENT if change is None else _note(change, self._names[change.label]))


def _note(change: ClassChange, name: str) -> str:
    seen = (
        f"{counted(change.images, 'image')} of “{name}” of {counted(change.patients, 'patient')},"
        f" each evaluated by a model that was not trained on the patient."
    )
    if change.told_after():
        return f"{seen} Their similarity to these phrases, compared with the other classes:"
    why = _why_untold(change.after)
    if change.told_before():
        return f"{seen} These phrases held only before adaptation; after it, {why}"
    return f"{seen} No reliable description: {why}"


def _why_untold(reading: ClassReading) -> str:
    if not reading.is_above:
        best, chance = f"{reading.best:+.3f}", f"{reading.threshold:+.3f}"
        return f"the best phrase scores {best}, shuffled labels reach {chance}."
    listed = f"{reading.controls} of the {counted(reading.listed, 'strongest phrase')} are negative controls"
    return f"{listed}, as few as in {percent(reading.by_chance)} of random lists (limit: 10 %)."
