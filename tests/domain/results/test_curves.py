"""ROC curves against scikit-learn, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve
from support.made_evaluation import made_run

from clipsvd_app.domain.results import curves
from clipsvd_app.domain.results.cases import best_known
from clipsvd_app.domain.results.run import Prediction

scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda pairs: len({positive for _, positive in pairs}) == 2
)


@given(scored)
def test_curve_and_area_are_those_of_scikit_learn_with_ties(pairs):
    scores, positive = [score / 6 for score, _ in pairs], [flag for _, flag in pairs]
    found = curves.roc_curve(scores, positive)
    false_rates, rates, _ = roc_curve(positive, scores, drop_intermediate=False)
    assert [p.false_positive_rate for p in found.points] == pytest.approx(list(false_rates))
    assert [p.sensitivity for p in found.points] == pytest.approx(list(rates))
    assert found.area == pytest.approx(roc_auc_score(positive, scores))


def test_a_class_that_everybody_or_nobody_has_gives_no_curve():
    assert curves.roc_curve([0.1, 0.9], [True, True]) is None
    assert curves.roc_curve([0.1, 0.9], [False, False]) is None


def test_the_mean_area_is_the_macro_auroc_of_the_estimate():
    # Of two classes, since calibration may reorder images of more by a little.
    run = made_run(("normal", "pneumonia"))
    areas = [pair.adapted.area for pair in curves.roc_pairs(run.predictions, 2)]
    stated = next(s.macro_auroc for s in run.evaluation.methods if s.method == "clip_svd")
    assert np.mean(areas) == pytest.approx(stated)


def test_thresholds_are_those_of_the_probabilities_that_are_shown():
    run = made_run()
    shown = {best_known(p)[0] for p in run.predictions if p.role == "out_of_fold"}
    first = curves.roc_pairs(run.predictions, 3)[0].adapted
    assert {point.threshold for point in first.points[1:]} <= shown


def test_training_images_are_no_part_of_a_curve():
    unseen = (
        Prediction(1, "test", 0, (0.9, 0.1), (0.5, 0.5)),
        Prediction(2, "test", 1, (0.8, 0.2), (0.5, 0.5)),
    )
    learnt = tuple(Prediction(10 + n, "train", n % 2, (0.0, 1.0), (0.5, 0.5)) for n in range(9))
    (first, _) = curves.roc_pairs(unseen + learnt, 2)
    assert (first.adapted.positives, first.adapted.negatives) == (1, 1)
