"""What a stored prediction says, also one that an earlier version left."""

from __future__ import annotations

from clipsvd_app.domain.results.cases import best_known, doubts, is_error
from clipsvd_app.domain.results.evaluation import CoveragePoint, Evaluation
from clipsvd_app.domain.results.run import Prediction
from clipsvd_app.domain.words.case import as_unseen, set_sentence
from clipsvd_app.domain.words.results import abstention_text, basis_text

NAMES = ("normal", "lesion")


def prediction(adapted, **more):
    return Prediction(1, "test", 0, adapted, (0.5, 0.5), **more)


def test_without_an_estimate_a_prediction_is_doubted_where_two_classes_are_nearly_as_likely():
    assert doubts(prediction((0.54, 0.46))) == ("nearly_as_likely",)
    assert doubts(prediction((0.56, 0.44))) == ()


def test_stored_doubts_are_taken_as_they_are():
    assert doubts(prediction((0.55, 0.45), doubts=("other_modality",))) == ("other_modality",)


def test_calibrated_probabilities_go_before_the_models_own():
    assert best_known(prediction((0.9, 0.1), calibrated=(0.7, 0.3))) == (0.7, 0.3)
    assert best_known(prediction((0.9, 0.1))) == (0.9, 0.1)


def test_a_set_is_said_in_words_and_an_empty_one_too():
    assert "normal or lesion" in set_sentence(prediction((0.5, 0.5), conformal=(0, 1)), NAMES, 0.1)
    assert "at least 90 % of patients" in set_sentence(prediction((0.5, 0.5), conformal=(0,)), NAMES, 0.1)
    assert set_sentence(prediction((0.5, 0.5), conformal=()), NAMES, 0.2).startswith("No class")
    assert set_sentence(prediction((0.5, 0.5)), NAMES, 0.1) == ""


def test_an_unlabelled_case_is_no_error():
    assert not is_error(Prediction(1, "pool", None, (0.1, 0.9), (0.5, 0.5)))
    assert is_error(prediction((0.1, 0.9)))


def test_the_basis_names_repeats_and_locked_patients():
    judged = Evaluation("cross_validated", images=9, patients=4, folds=5, repeats=3)
    assert (
        basis_text(judged) == "9 images of 4 patients, 5-fold cross-validation by patient, repeated 3 times"
    )
    assert "fixed test set" in basis_text(Evaluation("locked", images=1, patients=1))
    assert basis_text(Evaluation("none")) == ""


def test_abstaining_is_said_with_both_errors():
    points = (CoveragePoint(0.5, 0.1), CoveragePoint(1.0, 0.25))
    said = abstention_text(Evaluation("held_out", abstention=points)).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "Error rate: 25.0 % of all images, 10.0 % at a coverage of 50.0 %."


def test_an_image_with_two_answers_is_said_to_have_both():
    crossed = Prediction(1, "out_of_fold", 0, (0.9, 0.1), (0.5, 0.5), (0.7, 0.3))
    (said,) = as_unseen(crossed, NAMES)
    assert "Trained on other patients only, it predicts “normal” (70.0\N{NO-BREAK SPACE}%)" in said.text
    assert as_unseen(prediction((0.9, 0.1)), NAMES) == as_unseen(None, NAMES) == ()
