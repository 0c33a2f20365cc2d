"""Two runs side by side: what differed in their making, and which cases they judge differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from clipsvd_app.domain.results.cases import evidence, winner
from clipsvd_app.domain.words.counting import images_of_patients
from clipsvd_app.domain.words.trained import PLAIN_TITLE, start_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clipsvd_app.domain.results.run import Prediction, RunResult

FlipKind = Literal["now_right", "now_wrong", "otherwise_wrong"]
FLIP_TITLES: dict[FlipKind, str] = {
    "now_wrong": "Correct before, misclassified now",
    "now_right": "Misclassified before, correct now",
    "otherwise_wrong": "Misclassified differently by both",
}


@dataclass(frozen=True, slots=True)
class Flip:
    """A case that both runs evaluated without having seen its patient, and judged differently."""

    image_id: int
    label: int
    before: int
    now: int

    @property
    def kind(self) -> FlipKind:
        """Which of the two was right; the label is the later run's."""
        if self.now == self.label:
            return "now_right"
        return "now_wrong" if self.before == self.label else "otherwise_wrong"


@dataclass(frozen=True, slots=True)
class ChangedFact:
    """One thing in the making of two runs; equal values are shown as such."""

    name: str
    before: str
    now: str

    @property
    def differs(self) -> bool:
        """Whether the runs differ in it."""
        return self.before != self.now


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """How the labels that two runs were given differ, in images."""

    added: int
    removed: int
    changed: tuple[int, ...]

    @property
    def sentence(self) -> str:
        """The changes in words."""
        parts = [(self.added, "added"), (self.removed, "taken away"), (len(self.changed), "changed")]
        said = [f"{number} {what}" for number, what in parts if number]
        return "Labels: " + ", ".join(said) + "." if said else "The labels are the same."


def flips(before: RunResult, now: RunResult) -> tuple[Flip, ...] | None:
    """Return the cases classified differently, those that got worse first; None when the classes differ."""
    if before.class_names != now.class_names:
        return None
    earlier = _by_image(before.predictions)
    found = [
        Flip(image_id, prediction.label, winner(earlier[image_id].adapted), winner(prediction.adapted))
        for image_id, prediction in _by_image(now.predictions).items()
        if image_id in earlier and prediction.label is not None
    ]
    order = tuple(FLIP_TITLES)
    return tuple(
        sorted((flip for flip in found if flip.before != flip.now), key=lambda flip: order.index(flip.kind))
    )


def shared_cases(before: RunResult, now: RunResult) -> int:
    """Return how many cases both runs evaluated without having seen their patients."""
    return len(_by_image(before.predictions).keys() & _by_image(now.predictions).keys())


def label_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> LabelChanges:
    """Compare the labels of two stored requests by class name."""
    first, second = _labels(before), _labels(now)
    shared = first.keys() & second.keys()
    changed = tuple(sorted(image_id for image_id in shared if first[image_id] != second[image_id]))
    return LabelChanges(len(second.keys() - first.keys()), len(first.keys() - second.keys()), changed)


def changed_facts(
    before: tuple[RunResult, Mapping[str, Any]], now: tuple[RunResult, Mapping[str, Any]]
) -> tuple[ChangedFact, ...]:
    """Return how two runs (result, stored request) were made, the differences first."""
    first, second = dict(_facts(*before)), dict(_facts(*now))
    facts = [ChangedFact(name, first.get(name, "–"), second.get(name, "–")) for name in {**first, **second}]
    return tuple(sorted(facts, key=lambda fact: not fact.differs))


def _facts(result: RunResult, request: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    recipe = request.get("recipe", {})
    yield "Preset", str(recipe.get("preset", "–"))
    yield "Method", PLAIN_TITLE if result.plain else "CLIP-SVD"
    yield "Steps", str(recipe.get("steps", "–"))
    yield "Learning rate", f"{result.learning_rate:g}"
    yield "Start", start_sentence(result)
    yield "Trained on", images_of_patients(result.train_images, result.train_patients)
    yield "Images per class", "all" if result.shots is None else str(result.shots)
    yield "Seed", str(result.seed)
    yield "Backbone", result.backbone_name
    yield "Classes", ", ".join(result.class_names)
    yield "Judged on", images_of_patients(result.evaluation.images, result.evaluation.patients)


def _by_image(predictions: Iterable[Prediction]) -> dict[int, Prediction]:
    return {prediction.image_id: prediction for prediction in evidence(predictions)}


def _labels(request: Mapping[str, Any]) -> dict[int, str]:
    names = [entry["name"] for entry in request.get("classes", ())]
    return {int(image_id): names[label] for image_id, label in request.get("labels", {}).items()}
