"""The adapter's card as plain text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.content import AdapterContent
from clipsvd_app.adapter_file.document import AdapterDocument, ClassifierDocument
from clipsvd_app.adapter_file.frozen_classifier import ClassifierContent
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.counting import counted, images_of_patients
from clipsvd_app.domain.words.numbers import percent_ci
from clipsvd_app.domain.words.trained import probe_words, trained_words

if TYPE_CHECKING:
    from clipsvd_app.adapter_file.document import EvaluatedMethod

Document = AdapterDocument | ClassifierDocument
_TITLES: dict[str, str] = {str(method): title for method, title in METHOD_TITLES.items()}
_VERDICTS = {
    "helped": "Adaptation helped on unseen patients.",
    "harmed": "Adaptation harmed on unseen patients.",
    "not_shown": "No difference from zero-shot was shown.",
}


def card_text(content: AdapterContent | ClassifierContent) -> str:
    """Return the card: intended use, origin and evidence."""
    document = content.document
    heading = "SIGMA ADAPTER" if isinstance(content, AdapterContent) else "FROZEN CLASSIFIER"
    blocks = (
        [heading, plain(document.card.notice)],
        _classes(document),
        _origin(content),
        _evidence(document),
        _terms(document),
    )
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _classes(document: Document) -> list[str]:
    counts = document.training.images_per_class
    return ["Classes"] + [
        f"  {number}. {plain(entry.name)} ({counted(count, 'training image')})"
        for number, (entry, count) in enumerate(zip(document.classes, counts, strict=True), start=1)
    ]


def _origin(content: AdapterContent | ClassifierContent) -> list[str]:
    document = content.document
    base, training = document.base, document.training
    return [
        "Origin",
        f"  Base model: {plain(base.name)}, {base.parameters:,} parameters, sha256 {base.sha256[:16]}…",
        f"  Trained: {_trained(content)}",
        f"  Training: {images_of_patients(sum(training.images_per_class), training.patients)}, "
        f"{_recipe(content)}",
        f"  Made on {plain(document.created)} with version {plain(document.app_version)}",
    ]


def _recipe(content: AdapterContent | ClassifierContent) -> str:
    training = content.document.training
    if isinstance(content, ClassifierContent):
        return f"seed {training.seed}"
    preset = plain(str(training.recipe.get("preset", "unknown")))
    method = ", plain CLIP-SVD as in the paper" if training.recipe.get("plain") is True else ""
    return f"preset {preset}{method}, seed {training.seed}, {training.seconds:.0f} s"


def _trained(content: AdapterContent | ClassifierContent) -> str:
    if isinstance(content, ClassifierContent):
        title = _TITLES[content.document.method]
        return f"{title}, {content.trained_numbers:,} numbers; the model itself is unchanged"
    share = content.singular_values / max(1, content.document.base.parameters)
    said = trained_words(content.singular_values, len(content.spectra))
    return f"{said} ({share:.3%} of the model)" + _head(content)


def _head(content: AdapterContent) -> str:
    if content.head is None:
        return ""
    start = _TITLES.get(content.head_start, plain(probe_words(content.head_start)))
    return f"\n  Class head: {content.head.size:,} numbers beside the model, started from: {start}"


def _evidence(document: Document) -> list[str]:
    evaluation = document.evaluation
    if evaluation.kind == "none":
        return ["Evidence", "  None: not evaluated on unseen patients.", *_said(evaluation.sentence)]
    return [
        "Evidence",
        f"  {_VERDICTS[evaluation.verdict]} ({images_of_patients(evaluation.images, evaluation.patients)})",
        *(_method(entry) for entry in evaluation.methods),
        *_calibration(document),
        *_said(evaluation.sentence),
    ]


def _calibration(document: Document) -> list[str]:
    if not isinstance(document, AdapterDocument):
        return []
    temperature = document.calibration.temperature
    return [] if temperature == 1 else [f"  Probabilities: logits divided by {temperature:.2f} (calibrated)"]


def _said(sentence: str) -> list[str]:
    return [f"  {plain(sentence)}"] if sentence else []


def _method(entry: EvaluatedMethod) -> str:
    title = _TITLES.get(entry.method, plain(entry.method))
    return f"  {title}: balanced accuracy {percent_ci(entry.balanced_accuracy, entry.interval)}"


def _terms(document: Document) -> list[str]:
    card = document.card
    lines = [
        "Terms",
        f"  Intended use: {plain(card.intended_use)}",
        f"  Limits: {plain(card.limits)}",
        f"  Licence: {plain(card.licence)}",
    ]
    return lines + ([f"  Contact: {plain(card.contact)}"] if card.contact else [])
