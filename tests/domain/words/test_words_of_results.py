"""Sentences about an evaluation, as window, command line and report say them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.made_evaluation import made_run

from clipsvd_app.domain.results.evaluation import METHOD_TITLES, METHOD_WORDS, Difference, Interval
from clipsvd_app.domain.words.results import difference_text
from clipsvd_app.domain.words.trained import run_trained_words, start_sentence, trained_words
from clipsvd_app.engine.fitting.start import START


@pytest.mark.parametrize(
    ("difference", "low", "high", "text"),
    [
        (0.12, 0.03, 0.21, "+12 points (3 to 21)"),
        (-0.04, -0.1, 0.02, "-4 points (-10 to 2)"),
        (0.001, -0.05, 0.05, "0 points (-5 to 5)"),
    ],
)
def test_a_difference_carries_its_sign(difference, low, high, text):
    said = difference_text(Difference("clip_svd", "gda", difference, Interval(low, high)))
    assert said.replace("\N{MINUS SIGN}", "-") == f"CLIP-SVD against Gaussian discriminant analysis: {text}"


def test_a_difference_says_how_sure_it_is():
    said = difference_text(
        Difference("clip_svd", "zero_shot", 0.3, Interval(0.2, 0.4), p_value=0.0001, p_holm=0.02)
    )
    assert said.endswith("; McNemar mid-p below 0.001, 0.020 after Holm's correction")


def test_every_method_has_its_words():
    assert METHOD_WORDS.keys() == METHOD_TITLES.keys()


def test_a_class_head_is_not_counted_among_the_singular_values():
    assert trained_words(2880, 48) == "2,880 singular values of 48 matrices"
    result = replace(made_run(), trainable_parameters=3000, matrices=1, head_parameters=100)
    assert run_trained_words(result) == "2,900 singular values of 1 matrix and a class head of 100 numbers"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"start": "probe", "probe": START, "share": 0.25, "choice_folds": 3},
            "Started from a text-initialised linear probe; 25 % of the trained change was kept, chosen"
            " on 3 folds of the training patients.",
        ),
        (
            {"start": "probe", "probe": "text_probe", "share": 0.125},
            "Started from the text-initialised probe; 12.5 % of the trained change was kept.",
        ),
        (
            {"start": "probe", "probe": "linear_probe", "share": 0.0, "choice_folds": 3},
            "Started from the linear probe; none of the trained change was kept, chosen on 3 folds of the"
            " training patients.",
        ),
        (
            {"start": "text", "share": 0.0, "choice_folds": 3},
            "No adaptation was better than the unchanged model, judged on 3 folds of the training patients.",
        ),
        (
            {"start": "text", "share": 1.0},
            "Started from the class texts; all of the trained change was kept.",
        ),
        (
            {"plain": True, "start": "text", "share": 1.0},
            "Plain CLIP-SVD, as in the paper: started from the class texts; all of the trained change was"
            " kept.",
        ),
    ],
)
def test_a_run_says_where_it_started_and_what_it_kept(facts, said):
    assert start_sentence(replace(made_run(), **facts)) == said
