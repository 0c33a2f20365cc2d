"""Facts about figures as data: every one is described, labelled, and answers the mouse with values."""

from __future__ import annotations

import math

import pytest
from support.changing import replace
from support.made_explanation import HEADS
from support.made_figures import COUNTS, EMPTY, EVALUATION, FIGURES, PAIRS, RUN, STEPS

from clipsvd_app.domain.results.run import StepMetrics
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.confusion import confusion_figure
from clipsvd_app.figures.figure import Curve, Dots
from clipsvd_app.figures.learning import training_figure
from clipsvd_app.figures.methods import methods_figure
from clipsvd_app.figures.phrases import head_phrases_figure
from clipsvd_app.figures.reliability import reliability_figure
from clipsvd_app.figures.roc import roc_figure
from clipsvd_app.figures.towers import heads_figure


def labels(figure) -> list[str]:
    return [axis.label for panel in figure.panels for axis in (panel.x, panel.y) if axis.label]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_described_and_has_a_table(name):
    figure = FIGURES[name]
    assert figure.title
    assert len(figure.description) > 20
    assert len(figure.table) > 1
    assert {len(row) for row in figure.table} == {len(figure.table[0])}


@pytest.mark.parametrize("name", FIGURES)
def test_everything_drawn_lies_between_the_axes_and_says_its_value(name):
    for panel in FIGURES[name].panels:
        assert panel.spots
        for mark in panel.marks:
            if isinstance(mark, Curve | Dots):
                for spot in mark.spots:
                    across, up = sorted((panel.x.low, panel.x.high)), sorted((panel.y.low, panel.y.high))
                    assert across[0] <= spot.x <= across[1]
                    assert math.isnan(spot.y) or up[0] <= spot.y <= up[1]


@pytest.mark.parametrize("name", EMPTY)
def test_a_figure_of_nothing_has_a_header_alone(name):
    assert EMPTY[name].panels == ()
    assert len(EMPTY[name].table) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("roc", ["1 − specificity (%)", "Sensitivity (%)"]),
        ("reliability", ["Observed frequency (%)", "Predicted probability (%)", "Images"]),
        ("risk", ["Coverage (%)", "Error rate (%)"]),
        ("learning", ["Images per class", "Balanced accuracy (%)"]),
        ("training", ["Loss", "Training step", "Batch accuracy (%)"]),
        ("confusion", ["Predicted", "Label"]),
        ("deletion", ["Image masked (%)", "Margin (logits)"]),
        ("methods", ["Balanced accuracy, 95 % CI (%)"]),
    ],
)
def test_axes_speak_the_language_of_the_field(name, words):
    assert labels(FIGURES[name]) == words


def test_one_class_is_drawn_before_and_after_adaptation():
    figure = roc_figure(RUN.class_names, PAIRS, 1)
    names = [mark.name.partition(" (")[0] for mark in figure.panels[0].marks if mark.name]
    assert names == ["Zero-shot", "CLIP-SVD"]
    assert {row[0] for row in figure.table[1:]} == {RUN.class_names[1]}
    assert {row[1] for row in figure.table[1:]} == {"adapted", "zero_shot"}


def test_a_point_of_the_roc_curve_says_sensitivity_and_threshold():
    point = PAIRS[0].adapted.points[1]
    said = next(spot.said for spot in FIGURES["roc"].panels[0].spots)
    assert f"sensitivity {percent(point.sensitivity)}" in said
    assert "threshold" in said


def test_a_bin_is_drawn_at_its_figures_with_its_interval():
    first = EVALUATION.calibration.bins[0]
    (spot, *_) = next(
        mark for mark in reliability_figure((first,)).panels[0].marks if isinstance(mark, Curve)
    ).spots
    assert (spot.x, spot.y) == (100 * first.confidence, 100 * first.accuracy)
    assert (spot.low, spot.high) == (100 * first.interval.low, 100 * first.interval.high)


def test_training_rows_give_back_the_steps():
    rows = training_figure(STEPS, 10).table[1:]
    read = tuple(StepMetrics(int(step), *(float(value) for value in rest)) for step, *rest in rows)
    assert read == STEPS


def test_a_step_that_was_not_finite_is_a_gap_and_no_loss_of_0():
    figure = training_figure((*STEPS[:3], StepMetrics(4, None, None, 0.02), *STEPS[4:]), 10)
    assert figure.table[4] == ("4", "", "", "0.02")
    for panel in figure.panels:
        for curve in panel.marks:
            assert [spot.x for spot in curve.spots if math.isnan(spot.y)] == [4.0]
    assert "not finite" in training_figure((StepMetrics(1, None, None, 0.1),), 4).description


def test_an_absent_auroc_is_left_empty_not_nought():
    methods = tuple(replace(score, macro_auroc=None) for score in EVALUATION.methods)
    header, row, *_ = methods_figure(methods).table
    assert row[header.index("macro_auroc")] == ""


def test_many_or_long_class_names_are_numbered_in_a_confusion_matrix():
    names = ("usual interstitial pneumonia", "organising pneumonia")
    x, y = (axis.ticks for axis in (lambda p: (p.x, p.y))(confusion_figure(names, COUNTS).panels[0]))
    assert [text for _, text in x] == ["1", "2"]
    assert [text for _, text in y] == [f"1  {names[0]}", f"2  {names[1]}"]


def test_no_words_are_told_of_a_head_whose_readings_failed():
    assert "sharp margin" not in str(heads_figure(HEADS, told=False).table)
    assert "sharp margin" not in str(head_phrases_figure(HEADS[0], told=False))
