"""An evaluation in sentences: verdict, recommendation, warnings, calibration, sets, more labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import (
    FEW_IMAGES,
    METHOD_TITLES,
    METHOD_WORDS,
    MIN_PATIENTS_TO_ESTIMATE,
    detectable,
    gain_of,
)
from clipsvd_app.domain.words.counting import counted, images_of_patients
from clipsvd_app.domain.words.numbers import percent, span

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import (
        ConformalSets,
        Evaluation,
        Gain,
        Interval,
        LearningCurve,
        MethodName,
        MoreExamples,
        Verdict,
        Weakness,
    )

_WISHED = 0.1
"""A gain that one would not want to miss."""
_NOT_EXPORTED: dict[MethodName, str] = {
    "tip_adapter": " It cannot be exported, because the file would contain features of your images.",
    "clip_svd_plain": " It was only evaluated. To export it, train with “Plain CLIP-SVD, as in the paper”.",
}
"""Why what is recommended cannot be exported; every other method can be."""
_OPENINGS: dict[Verdict, str] = {
    "helped": "Adaptation helped",
    "harmed": "Adaptation harmed",
    "not_shown": "No effect of adaptation was shown",
}


def no_estimate_text(evaluation: Evaluation) -> str:
    """Say why there is no estimate."""
    missing = evaluation.no_estimate
    if missing is None:
        return "This run has no estimate."
    if missing.code == "class_not_tested":
        return f"No patient of the class “{missing.class_name}” is left for testing. Train with fewer shots."
    return (
        f"The class “{missing.class_name}” has {counted(missing.patients, 'patient')}; an estimate needs at"
        f" least {MIN_PATIENTS_TO_ESTIMATE} in every class."
    )


def verdict_sentence(evaluation: Evaluation) -> str:
    """State the verdict with its figures, or why there is none; empty before CLIP-SVD is evaluated."""
    if evaluation.kind == "none":
        return no_estimate_text(evaluation)
    if not evaluation.differences:
        return ""
    gain = gain_of(evaluation.differences)
    values = {score.method: score.balanced_accuracy for score in evaluation.methods}
    text = (
        f"{_OPENINGS[evaluation.verdict]}: balanced accuracy {percent(values['clip_svd'])},"
        f" zero-shot {percent(values['zero_shot'])}, difference {_points(gain.value)} points"
        f" (95 % CI {_points(gain.interval.low)} to {_points(gain.interval.high)}),"
        f" on {images_of_patients(evaluation.images, evaluation.patients)} not used for training."
    )
    return text + (_reach(gain.interval, evaluation.patients) if evaluation.verdict == "not_shown" else "")


def recommendation_text(evaluation: Evaluation) -> str:
    """Say which method to use, and why; empty before CLIP-SVD is evaluated."""
    method = evaluation.recommended
    if method is None:
        return ""
    values = {score.method: score.balanced_accuracy for score in evaluation.methods}
    best = max(values, key=lambda name: values[name])
    use = f"Use {METHOD_WORDS[method]} ({percent(values[method])})"
    kept_back = _NOT_EXPORTED.get(method, "")
    if values[method] == values[best]:
        return f"{use}: it is the best, and no simpler method is within one standard error.{kept_back}"
    return (
        f"{use}: it is the simplest method within one standard error"
        f" ({100 * evaluation.recommended_error:.1f} points) of the best, {METHOD_WORDS[best]}"
        f" ({percent(values[best])}).{kept_back}"
    )


def weakness_text(found: Weakness) -> str:
    """Say what weakens an estimate."""
    if found.code == "known_by_similarity":
        which = "All patients" if found.count == found.of else f"{found.count:,} of {found.of:,} patients"
        return (
            f"{which} are identified by image similarity only. If several belong to one patient, the figures"
            " are too high."
        )
    if found.code == "look_alikes":
        images = counted(found.count, "image looks", "images look")
        return (
            f"{images} almost identical to an image of another patient. If they are copies, the figures are"
            " too high."
        )
    if found.code == "opposite_labels":
        pairs = counted(found.count, "pair of images looks", "pairs of images look")
        return f"{pairs} almost identical but differ in their labels; one of each may be wrong."
    runs = counted(found.count, "earlier run was", "earlier runs were")
    return f"{runs} tested on the same fixed test set. The best of them looks better than it is."


def calibration_text(evaluation: Evaluation) -> str:
    """Say what the temperature did; empty without a calibration."""
    found = evaluation.calibration
    if found is None:
        return ""
    before, after = found.negative_log_likelihood_before, found.negative_log_likelihood_after
    change = f"log loss on other patients {before:.2f} before and {after:.2f} after calibration"
    if round(before - after, 2) > 0:
        manner = "overconfident" if found.temperature > 1 else "underconfident"
        text = f"Uncalibrated probabilities are {manner} (temperature {found.temperature:.2f}; {change})."
    else:
        text = f"Calibration brings no gain (temperature {found.temperature:.2f}; {change})."
    if evaluation.images < FEW_IMAGES:
        images = counted(evaluation.images, "image is", "images are")
        text += f" {images} too few for a calibration error."
    return text


def prediction_sets_text(found: ConformalSets) -> str:
    """Say what prediction sets promise, and how large they are."""
    promise = f"contains the true class in at least {percent(1 - found.alpha)} of patients on average"
    if found.coverage_range is None:
        text = (
            f"The prediction set of a labelled image {promise}. New images have no sets, because the final"
            " model was trained on all labelled images and none are left for calibration."
        )
    else:
        text = (
            f"A prediction set {promise}; with {counted(found.patients, 'calibration patient')}, the coverage"
            f" on new patients is {span(found.coverage_range)} % (95 % CI)."
        )
    return (
        f"{text} A set has {found.mean_size:.1f} classes on average; {percent(found.single_share)} have"
        " exactly one."
    )


def learning_curve_text(curve: LearningCurve) -> str:
    """Say how accuracy rose with labels, and what more labels promise."""
    own = [point for point in curve.points if point.method == curve.method]
    first, last = own[0], own[-1]
    course = (
        f"{METHOD_TITLES[curve.method]}: balanced accuracy rises from {percent(first.balanced_accuracy)} with"
        f" {first.shots} per class to {percent(last.balanced_accuracy)} with {last.shots} (mean of"
        f" {last.draws} draws)."
    )
    if last.balanced_accuracy < first.balanced_accuracy:
        course = course.replace("rises", "goes", 1)
    if curve.outlook == "ahead":
        return (
            f"{course} CLIP-SVD, which was evaluated at one size only, is well above this curve, so the curve"
            " does not predict its gain from more labels."
        )
    single = (
        " CLIP-SVD was evaluated at one size only."
        if any(point.method == "clip_svd" for point in curve.points)
        else ""
    )
    return f"{course} {_outlook(curve)}{single}"


def more_examples_text(found: MoreExamples) -> str:
    """Say why more images of a class are recommended."""
    first, last = percent(found.sensitivity_first), percent(found.sensitivity_last)
    return (
        f"With {found.smallest} to {found.largest} images per class, the sensitivity for"
        f" “{found.class_name}” rose from {first} to {last}. If this continues, {found.more} more, with as"
        f" many of the other classes, add {_gain(found.gain)}."
    )


def _outlook(curve: LearningCurve) -> str:
    if curve.outlook == "classes":
        wanted = ", ".join(f"{part.more} of “{part.class_name}”" for part in curve.advice)
        return f"Recommended: about {wanted}."
    if curve.outlook == "all" and curve.gain is not None:
        return f"If this continues, twice as many images of every class add {_gain(curve.gain)}."
    return "The curve is too irregular to predict the gain from more labels."


def _reach(interval: Interval, patients: int) -> str:
    """Say what a sample of this size can detect, and how many patients a gain of 10 points would take."""
    least = detectable(interval)
    if least >= 1:
        return " A sample of this size cannot detect any difference with 80 % power."
    text = f" A sample of this size detects a difference of {100 * least:.0f} points with 80 % power."
    if least > _WISHED:
        needed = int(float(f"{patients * (least / _WISHED) ** 2:.1e}"))
        text += f" Detecting {100 * _WISHED:.0f} points takes about {counted(needed, 'patient')}."
    return text


def _points(difference: float) -> str:
    return f"{100 * difference:+.0f}"


def _gain(found: Gain) -> str:
    """Return a gain with its range over draws, omitted where it rounds to the gain itself.

    All draws are of the same patients, so the range is no interval for others.
    """
    middle, low, high = (round(100 * value) for value in (found.value, found.low, found.high))
    about = f"about {counted(middle, 'point')}"
    return about if low == middle == high else f"{about} ({low} to {high} between draws)"
