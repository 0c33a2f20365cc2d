"""Composes a run's report, section by section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.curves import roc_pairs
from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.controls import CONTROL_TITLES
from clipsvd_app.domain.words.counting import counted, images_of_patients
from clipsvd_app.domain.words.evaluation import (
    calibration_text,
    learning_curve_text,
    more_examples_text,
    prediction_sets_text,
    recommendation_text,
    verdict_sentence,
    weakness_text,
)
from clipsvd_app.domain.words.notes import note_text
from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.domain.words.numbers import percent, percent_with_interval
from clipsvd_app.domain.words.results import (
    abstention_text,
    basis_text,
    difference_text,
    split_text,
    verdict_title,
)
from clipsvd_app.domain.words.run_changes import run_statements
from clipsvd_app.domain.words.trained import PLAIN_TITLE, run_trained_words, start_sentence
from clipsvd_app.figures.confusion import confusion_figure
from clipsvd_app.figures.methods import methods_figure
from clipsvd_app.figures.reliability import reliability_figure
from clipsvd_app.figures.risk import risk_figure
from clipsvd_app.figures.roc import roc_figure
from clipsvd_app.figures.towers import heads_figure, matrices_figure
from clipsvd_app.services.report.blocks import Block, Document, Facts, Figure, Gallery, Section, Table, Text
from clipsvd_app.services.report.items import CLAIM_2024, TRIPOD_AI, Item, answered

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Calibration, Evaluation, MethodScore
    from clipsvd_app.services.report.content import ReportContent

# With 100 images the 95 % interval of a share of 80 % is 16 points wide (Wilson).
SMALL_SAMPLE = 100
_RELIABILITY = (
    "Observed frequency against predicted probability with 95 % intervals; below, the images of each bin."
)
_LIMITS = (
    "The estimate applies to similar patients: the same site, devices and selection.",
    "Labels are assumed to be correct. Label errors affect all figures.",
    "Confidence intervals reflect the sampling of test patients, not earlier choices.",
    NOT_DIAGNOSTIC,
)


def compose(content: ReportContent) -> Document:
    """Return the report of a run."""
    sections = [
        _result(content),
        _cohort(content),
        _recipe(content),
        *_accuracy(content),
        *_trust(content),
        *_changed(content),
        *_more_labels(content),
        *_failures(content),
        _limits(content),
        _items("CLAIM 2024", CLAIM_2024, content),
        _items("TRIPOD+AI", TRIPOD_AI, content),
    ]
    return Document(f"Report on run {content.run}", f"CLIP-SVD Studio {content.version}", tuple(sections))


def _result(content: ReportContent) -> Section:
    evaluation = content.result.evaluation
    blocks: list[Block] = [Text(verdict_title(evaluation), strong=True)]
    said = (verdict_sentence(evaluation), recommendation_text(evaluation))
    blocks += [Text(text) for text in said if text]
    if evaluation.methods:
        blocks.append(Text(f"Measured on {basis_text(evaluation)}."))
        drawing = methods_figure(evaluation.methods)
        blocks.append(
            Figure(drawing, "Balanced accuracy on unseen patients in percent, with 95 % intervals.")
        )
        blocks += [Text(difference_text(difference)) for difference in evaluation.differences]
    return Section("Result", tuple(blocks))


def _cohort(content: ReportContent) -> Section:
    pairs = (
        ("Patients", f"{content.patients:,}"),
        ("Images", f"{content.images:,}, of which {content.labelled:,} labelled"),
        ("Modalities", ", ".join(f"{code} {number:,}" for code, number in content.modalities)),
        ("Training", images_of_patients(content.result.train_images, content.result.train_patients)),
        ("Split", split_text(content.result.evaluation) or "no estimate"),
    )
    rows = tuple((each.name, f"{each.images:,}", f"{each.patients:,}") for each in content.classes)
    table = Table(("Class", "Labelled images", "Patients"), rows, (0.5, 0.25, 0.25))
    caution = "Current classes and labels; the run may have used others."
    return Section("Cohort and split", (Facts(pairs), table, Text(caution)))


def _recipe(content: ReportContent) -> Section:
    result, recipe = content.result, content.recipe
    shots = (
        "all labelled images" if result.shots is None else f"{counted(result.shots, 'image')} of each class"
    )
    return Section(
        "Recipe",
        (
            Facts(
                (
                    ("Backbone", f"{content.backbone} ({result.backbone_sha256[:16]}…)"),
                    ("Method", PLAIN_TITLE if result.plain else "CLIP-SVD"),
                    ("Trained", run_trained_words(result)),
                    ("Start", start_sentence(result)),
                    ("Trained on", shots),
                    ("Preset", recipe.preset),
                    ("Steps", f"{recipe.steps:,} of {counted(recipe.batch_size, 'image')}"),
                    ("Learning rate", f"{result.learning_rate:g}"),
                    ("Mirroring", "yes" if recipe.flip else "off (sides matter)"),
                    ("Seed", str(result.seed)),
                    ("Device", result.device),
                )
            ),
        ),
    )


def _accuracy(content: ReportContent) -> tuple[Section, ...]:
    evaluation, names = content.result.evaluation, content.result.class_names
    ours = _score_of(evaluation)
    if ours is None:
        return ()
    blocks: list[Block] = [_methods_table(evaluation), _classes_table(ours)]
    blocks.append(Figure(confusion_figure(names, ours.confusion), "CLIP-SVD: confusion matrix."))
    if pairs := roc_pairs(content.result.predictions, len(names)):
        caption = (
            "ROC curve of each class against all others on unseen patients, with the area under the curve."
        )
        blocks.append(Figure(roc_figure(names, pairs), caption))
    return (Section("Accuracy on unseen patients", tuple(blocks)),)


def _trust(content: ReportContent) -> tuple[Section, ...]:
    evaluation = content.result.evaluation
    blocks: list[Block] = []
    if (calibration := evaluation.calibration) is not None:
        blocks.append(Text(calibration_text(evaluation)))
        if calibration.bins:
            blocks += [Figure(reliability_figure(calibration.bins), _RELIABILITY), _bins_table(calibration)]
    if evaluation.conformal is not None:
        blocks.append(Text(prediction_sets_text(evaluation.conformal)))
    if evaluation.abstention:
        blocks.append(Text(abstention_text(evaluation)))
        blocks.append(Figure(risk_figure(evaluation.abstention), "Error rate by coverage."))
    return (Section("Reliability", tuple(blocks)),) if blocks else ()


def _changed(content: ReportContent) -> tuple[Section, ...]:
    """Say what adaptation changed: sentences, each with how it is known, and the controls."""
    found = content.result.explanation
    blocks: list[Block] = []
    statements = run_statements(found, content.result.class_names)
    for statement in statements:
        blocks += [Text(statement.text), Text(f"How we know: {statement.how_we_know}")]
    if phrases := [(change, phrase) for change in found.classes for phrase in change.phrases]:
        names = content.result.class_names
        told = tuple(
            (names[change.label], phrase.text, *change.figures(phrase)) for change, phrase in phrases
        )
        blocks.append(Text("Differences of mean cosines; values in brackets are not reliable."))
        blocks.append(Table(("Class", "Distinguished by", "Before", "After"), told, (0.24, 0.48, 0.14, 0.14)))
    if found.matrices:
        caption = "Relative change of the weight matrices by layer; darker means more."
        blocks.append(Figure(matrices_figure(found.matrices), caption))
    if found.heads:
        caption = "Relative change of the attention heads by layer; darker means more."
        blocks.append(Figure(heads_figure(found.heads, told=False), caption))
    if found.controls:
        rows = tuple(
            (CONTROL_TITLES[c.code], "passed" if c.passed else "failed", f"{c.value:.3g}", f"{c.limit:.3g}")
            for c in found.controls
        )
        blocks.append(Table(("Control", "Outcome", "Figure", "Limit"), rows, (0.58, 0.14, 0.14, 0.14)))
    return (Section("What adaptation changed", tuple(blocks)),) if statements else ()


def _more_labels(content: ReportContent) -> tuple[Section, ...]:
    curve = content.result.evaluation.learning_curve
    if curve is None:
        return ()
    advice = (
        Text(f"About {each.more} more of “{each.class_name}”. {more_examples_text(each)}")
        for each in curve.advice
        if each.more
    )
    return (Section("Would more labels help?", (Text(learning_curve_text(curve)), *advice)),)


def _failures(content: ReportContent) -> tuple[Section, ...]:
    if content.failures is None:
        return ()
    blocks: list[Block] = [
        Text(f"The most confident of {counted(content.errors, 'error')} on unseen patients.")
    ]
    if content.withheld:
        blocks.append(
            Text(
                f"{counted(content.withheld, 'is', 'are')} left out: unreadable, replaced, or with"
                f" possible burned-in text."
            )
        )
    return (Section("Errors", (*blocks, Gallery(content.failures))),)


def _limits(content: ReportContent) -> Section:
    evaluation = content.result.evaluation
    few = (
        (
            f"Only {counted(evaluation.images, 'test image', 'test images')}: the confidence"
            f" intervals are wide.",
        )
        if 0 < evaluation.images < SMALL_SAMPLE
        else ()
    )
    return Section(
        "Limitations",
        tuple(
            Text(text)
            for text in (
                *map(weakness_text, evaluation.warnings),
                *map(note_text, content.result.notes),
                *few,
                *_LIMITS,
            )
        ),
    )


def _items(name: str, items: tuple[Item, ...], content: ReportContent) -> Section:
    rows = answered(items, content)
    intro = Text(f"Items of {name} that the program knows. Authors complete the others.")
    return Section(name, (intro, Table(("Item", "Topic", "Of this run"), rows, (0.08, 0.34, 0.58))))


def _methods_table(evaluation: Evaluation) -> Table:
    rows = tuple(
        (
            METHOD_TITLES[score.method],
            percent_with_interval(score.balanced_accuracy, score.interval),
            percent(score.accuracy),
            "–" if score.macro_auroc is None else f"{score.macro_auroc:.2f}",
            f"{score.brier:.3f}",
            f"{score.negative_log_likelihood:.2f}",
        )
        for score in evaluation.methods
    )
    header = ("Method", "Balanced accuracy (95 % CI)", "Accuracy", "AUROC", "Brier", "NLL")
    return Table(header, rows, (0.36, 0.24, 0.12, 0.1, 0.09, 0.09))


def _classes_table(score: MethodScore) -> Table:
    rows = tuple(
        (
            each.name,
            str(each.images),
            percent_with_interval(each.sensitivity, each.sensitivity_interval),
            percent_with_interval(each.specificity, each.specificity_interval),
        )
        for each in score.classes
    )
    header = ("CLIP-SVD, class", "Images", "Sensitivity (95 % CI)", "Specificity (95 % CI)")
    return Table(header, rows, (0.34, 0.12, 0.27, 0.27))


def _bins_table(calibration: Calibration) -> Table:
    rows = tuple(
        (
            f"{percent(each.low)} to {percent(each.high)}",
            f"{each.images:,}",
            percent_with_interval(each.accuracy, each.interval),
        )
        for each in calibration.bins
    )
    return Table(("Predicted probability", "Images", "Observed frequency (95 % CI)"), rows, (0.3, 0.2, 0.5))


def _score_of(evaluation: Evaluation) -> MethodScore | None:
    return next((score for score in evaluation.methods if score.method == "clip_svd"), None)
