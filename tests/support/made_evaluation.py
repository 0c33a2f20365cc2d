"""A whole evaluation, its numbers truly computed from small random predictions."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from clipsvd_app.domain.results.evaluation import (
    Calibration,
    ClassScore,
    ConformalSets,
    CoveragePoint,
    Difference,
    Evaluation,
    Gain,
    LearningCurve,
    LearningPoint,
    MethodScore,
    MoreExamples,
    ReliabilityBin,
    Weakness,
)
from clipsvd_app.domain.results.explanation import RunExplanation
from clipsvd_app.domain.results.run import Prediction, RunResult, StepMetrics
from clipsvd_app.engine.statistics import metrics

SKILL = {
    "zero_shot": 0.6,
    "text_probe": 1.5,
    "linear_probe": 1.3,
    "tip_adapter": 1.4,
    "gda": 1.55,
    "clip_svd_plain": 1.6,
    "clip_svd": 1.7,
}
TRAINED = {
    "text_probe": 768,
    "linear_probe": 771,
    "tip_adapter": 1,
    "clip_svd_plain": 110_592,
    "clip_svd": 110_592,
}


def made_probabilities(truth, skill: float, classes: int, seed: int):
    """Softmax of noise plus ``skill`` on the true class: (images, classes)."""
    logits = np.random.default_rng(seed).normal(size=(len(truth), classes))
    logits[np.arange(len(truth)), truth] += skill
    return softmax(logits)


def softmax(logits):
    values = np.exp(logits - logits.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)


def method_score(method, truth, probabilities, groups, names) -> MethodScore:
    predicted = probabilities.argmax(axis=1)
    confusion = metrics.confusion_matrix(truth, predicted, len(names))
    resampled = metrics.bootstrap_balanced_accuracy(truth, [predicted], groups, len(names))[0]
    return MethodScore(
        method,
        metrics.balanced_accuracy(confusion),
        interval_of(resampled),
        float((predicted == truth).mean()),
        metrics.macro_auroc(truth, probabilities),
        metrics.negative_log_likelihood(truth, probabilities),
        metrics.brier(truth, probabilities),
        tuple(class_score(name, position, confusion) for position, name in enumerate(names)),
        tuple(tuple(int(n) for n in row) for row in confusion),
        TRAINED.get(method, 0),
        0.4 if method != "clip_svd" else 95.0,
    )


def interval_of(values):
    from clipsvd_app.domain.results.evaluation import Interval

    return Interval(*(float(v) for v in np.quantile(values, (0.025, 0.975))))


def class_score(name, position, confusion) -> ClassScore:
    hits, total = int(confusion[position, position]), int(confusion[position].sum())
    others = int(confusion.sum()) - total
    spared = others - int(confusion[:, position].sum()) + hits
    return ClassScore(
        name,
        total,
        hits / total,
        metrics.wilson(hits, total),
        spared / others,
        metrics.wilson(spared, others),
    )


def reliability(truth, probabilities, bins=5) -> tuple[ReliabilityBin, ...]:
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    found = []
    for low in np.linspace(0, 1, bins, endpoint=False):
        inside = (top >= low) & (top < low + 1 / bins + 1e-12)
        if inside.any():
            hits, total = int(right[inside].sum()), int(inside.sum())
            found.append(
                ReliabilityBin(
                    float(low),
                    float(low + 1 / bins),
                    total,
                    float(top[inside].mean()),
                    hits / total,
                    metrics.wilson(hits, total),
                )
            )
    return tuple(found)


def abstention(truth, probabilities) -> tuple[CoveragePoint, ...]:
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    wrong = (probabilities.argmax(axis=1) != truth)[order]
    shares = np.arange(1, len(wrong) + 1)
    risks = wrong.cumsum() / shares
    return tuple(CoveragePoint(int(n) / len(wrong), float(r)) for n, r in zip(shares, risks, strict=True))


def conformal(truth, probabilities, alpha=0.1):
    """Threshold, sets and the facts about them, calibrated on the images themselves."""
    scores = 1 - probabilities[np.arange(len(truth)), truth]
    rank = int(np.ceil((len(scores) + 1) * (1 - alpha)))
    threshold = float(np.sort(scores)[min(rank, len(scores)) - 1])
    sets = [tuple(int(c) for c in np.flatnonzero(1 - row <= threshold)) for row in probabilities]
    sizes = np.array([len(each) for each in sets])
    covered = float(np.mean([t in s for t, s in zip(truth, sets, strict=True)]))
    facts = ConformalSets(
        alpha,
        threshold,
        len(truth),
        metrics.wilson(round(covered * len(truth)), len(truth)),
        float(sizes.mean()),
        float((sizes == 1).mean()),
        len(truth),
    )
    return facts, sets


def learning_curve(names, classes, groups_per_class, seed) -> LearningCurve:
    points = []
    generator = np.random.default_rng(seed)
    for shots in (1, 2, 4, 8, 16):
        for method, gain in (("text_probe", 0.25), ("clip_svd", 0.45)):
            draws = []
            for _ in range(5):
                truth = np.repeat(np.arange(classes), groups_per_class)
                rows = made_probabilities(
                    truth, 0.6 + gain * np.log2(2 * shots), classes, int(generator.integers(1e6))
                )
                draws.append(
                    metrics.balanced_accuracy(metrics.confusion_matrix(truth, rows.argmax(axis=1), classes))
                )
            points.append(LearningPoint(shots, method, float(np.mean(draws)), min(draws), max(draws), 5))
    advice = (MoreExamples(names[-1], 8, 1, 16, 0.4, 0.6, Gain(0.05, 0.03, 0.08)),)
    return LearningCurve(tuple(points), advice, points[0].method, "classes")


def made_run(
    names=("normal", "pneumonia", "effusion"),
    patients_per_class=16,
    *,
    ids=None,
    labels=None,
    seed=0,
    training=24,
) -> RunResult:
    """A run with every optional field filled; ``ids`` and ``labels`` are those of a real project."""
    count = len(names)
    if labels is None:
        labels = np.tile(np.arange(count), patients_per_class + training // count)
    truth_all = np.asarray(labels)
    ids_all = list(range(1, len(truth_all) + 1)) if ids is None else list(ids)
    train, test = slice(0, training), slice(training, None)
    truth = truth_all[test]
    groups = [str(i) for i in ids_all[test]]
    rows = {method: made_probabilities(truth, skill, count, seed + 7) for method, skill in SKILL.items()}
    scored = {method: method_score(method, truth, rows[method], groups, names) for method in SKILL}
    adapted = rows["clip_svd"]
    calibrated = softmax(np.log(adapted) / 1.4)
    sets_facts, sets = conformal(truth, calibrated)
    predicted = [rows["clip_svd"].argmax(axis=1), rows["zero_shot"].argmax(axis=1)]
    resampled = metrics.bootstrap_balanced_accuracy(truth, predicted, groups, count)
    gain = scored["clip_svd"].balanced_accuracy - scored["zero_shot"].balanced_accuracy
    interval = interval_of(resampled[0] - resampled[1])
    verdict = "helped" if interval.low > 0 else "harmed" if interval.high < 0 else "not_shown"
    evaluation = Evaluation(
        "cross_validated",
        images=len(truth),
        patients=len(truth),
        folds=5,
        repeats=3,
        methods=tuple(scored.values()),
        differences=(Difference("clip_svd", "zero_shot", gain, interval, 0.004, 0.012),),
        verdict=verdict,
        recommended="gda",
        recommended_error=0.03,
        warnings=(Weakness("known_by_similarity", 3, 16),),
        calibration=Calibration(
            1.4,
            metrics.brier(truth, adapted),
            metrics.brier(truth, calibrated),
            metrics.negative_log_likelihood(truth, adapted),
            metrics.negative_log_likelihood(truth, calibrated),
            reliability(truth, calibrated),
        ),
        conformal=sets_facts,
        abstention=abstention(truth, calibrated),
        learning_curve=learning_curve(names, count, patients_per_class, seed),
    )
    places = np.random.default_rng(seed).normal(size=(len(truth_all), 2)) + 2.2 * np.stack(
        [np.cos(truth_all * 2.1), np.sin(truth_all * 2.1)], axis=1
    )
    predictions = [
        Prediction(image_id, "train", int(label), row(r), row(z), place=tuple(map(float, place)))
        for image_id, label, r, z, place in zip(
            ids_all[train],
            truth_all[train],
            made_probabilities(truth_all[train], 4.0, count, seed),
            made_probabilities(truth_all[train], 0.6, count, seed + 1),
            places[train],
            strict=True,
        )
    ]
    for position, image_id in enumerate(ids_all[test]):
        doubts = ("set_not_single",) if len(sets[position]) != 1 else ()
        if position % 11 == 3:
            doubts = ("far_from_training", *doubts)
        wrong = calibrated[position].argmax() != truth[position]
        predictions.append(
            Prediction(
                image_id,
                "out_of_fold",
                int(truth[position]),
                row(adapted[position]),
                row(rows["zero_shot"][position]),
                row(calibrated[position]),
                sets[position],
                doubts,
                tuple(ids_all[train][position % 5 : position % 5 + 4]),
                tuple(map(float, places[test][position])),
                float(1 - calibrated[position, truth[position]]) if wrong else 0.05,
            )
        )
    curve = tuple(StepMetrics(step, 1 / step, 0.9, 0.03) for step in range(1, 5))
    explanation = RunExplanation((), ())
    return RunResult(
        tuple(names),
        "demo",
        "ab" * 32,
        110_592,
        144,
        training,
        training,
        None,
        seed,
        0.03,
        "CPU",
        95.0,
        evaluation,
        tuple(predictions),
        explanation,
        curve,
    )


def row(values) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def as_of_old(run: RunResult) -> RunResult:
    """The same run as an earlier version would have left it: none of the optional fields."""
    old = replace(
        run.evaluation,
        methods=tuple(
            s for s in run.evaluation.methods if s.method in ("zero_shot", "linear_probe", "clip_svd")
        ),
        differences=tuple(replace(d, p_value=None, p_holm=None) for d in run.evaluation.differences),
        repeats=1,
        recommended=None,
        warnings=(),
        calibration=None,
        conformal=None,
        abstention=(),
        learning_curve=None,
    )
    bare = tuple(Prediction(p.image_id, p.role, p.label, p.adapted, p.zero_shot) for p in run.predictions)
    return replace(run, evaluation=old, predictions=bare)
