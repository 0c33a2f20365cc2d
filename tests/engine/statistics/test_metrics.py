"""Figures against numbers known from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score

from clipsvd_app.domain.results.evaluation import Interval, detectable
from clipsvd_app.domain.words.evaluation import recommendation_text, verdict_sentence
from clipsvd_app.engine.baselines.methods import MethodOutput
from clipsvd_app.engine.statistics import metrics
from clipsvd_app.engine.statistics.abstention import coverage_risk
from clipsvd_app.engine.training.evaluate import evaluate


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    # Newcombe 1998, table I, method 3; and the closed form at the edges.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_the_published_ones(hits, total, low, high):
    interval = metrics.wilson(hits, total)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_is_everything():
    assert (metrics.wilson(0, 0).low, metrics.wilson(0, 0).high) == (0.0, 1.0)
    assert metrics.wilson(7, 7).high == 1.0


@given(st.integers(0, 1000), st.integers(2, 4))
def test_figures_equal_those_of_scikit_learn(seed, classes):
    generator = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), generator.integers(0, classes, 40)])
    probabilities = generator.dirichlet(np.ones(classes), size=len(truth))
    predicted = probabilities.argmax(axis=1)
    confusion = metrics.confusion_matrix(truth, predicted, classes)
    assert metrics.balanced_accuracy(confusion) == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert metrics.negative_log_likelihood(truth, probabilities) == pytest.approx(
        log_loss(truth, probabilities)
    )
    score = probabilities[:, 1] if classes == 2 else probabilities
    area = roc_auc_score(truth, score, multi_class="ovr")
    assert metrics.macro_auroc(truth, probabilities) == pytest.approx(area)


def test_brier_runs_from_perfect_to_worst():
    truth = np.array([0, 1])
    assert metrics.brier(truth, np.eye(2)) == 0
    assert metrics.brier(truth, np.eye(2)[::-1]) == 1


def outputs(truth, wrong_before, wrong_after):
    def answers(wrong):
        rows = np.eye(2)[truth]
        rows[wrong] = rows[wrong][:, ::-1]
        return MethodOutput(rows, 0, 0.0)

    return {"zero_shot": answers(wrong_before), "clip_svd": answers(wrong_after)}


def judged(wrong_before, wrong_after, patients=40):
    truth = np.arange(80) % 2
    patient_ids = [f"p{place * patients // 80}" for place in range(80)]
    methods = outputs(truth, wrong_before, wrong_after)
    return evaluate([methods], truth.tolist(), patient_ids, ["a", "b"], "held_out")


def test_the_verdict_needs_the_whole_interval_on_one_side():
    many, few, one = list(range(40)), [1, 2], [3]
    assert judged(many, few).verdict == "helped"
    assert judged(few, many).verdict == "harmed"
    assert judged(few, one).verdict == "not_shown"


def test_the_sentence_tells_the_numbers_and_the_patients():
    sentence = verdict_sentence(judged(list(range(40)), [])).replace("\N{NO-BREAK SPACE}", " ")
    assert sentence.startswith("Adaptation helped: balanced accuracy 100 %, zero-shot 50.0 %")
    assert "80 images of 40 patients" in sentence


def test_fewer_patients_give_a_wider_interval():
    wide, narrow = judged(list(range(30)), [], patients=5), judged(list(range(30)), [], patients=40)
    width = [e.methods[0].interval.high - e.methods[0].interval.low for e in (wide, narrow)]
    assert width[0] > width[1]


def test_resampling_is_the_same_every_time():
    first, again = judged([1, 2, 3], [4]), judged([1, 2, 3], [4])
    assert first == again


def test_sensitivity_and_specificity_count_each_class_against_the_rest():
    truth = [0, 0, 0, 1, 1, 1]
    rows = np.eye(2)[[0, 0, 1, 1, 1, 1]]
    done = evaluate(
        [{"zero_shot": MethodOutput(rows, 0, 0.0), "clip_svd": MethodOutput(rows, 0, 0.0)}],
        truth,
        list("abcdef"),
        ["no", "yes"],
        "held_out",
    )
    no, yes = done.methods[0].classes
    assert (no.sensitivity, no.specificity) == (pytest.approx(2 / 3), 1.0)
    assert (yes.sensitivity, yes.specificity) == (1.0, pytest.approx(2 / 3))


def test_where_all_is_right_the_interval_still_knows_how_few_cases_there_are():
    found = judged(list(range(40)), [])
    adapted = found.methods[1]
    assert adapted.balanced_accuracy == adapted.interval.high == 1.0
    # Two classes of 40, all right: each alone is 91.2 to 100 % by Wilson.
    assert adapted.interval.low == pytest.approx(1 - (1 - metrics.wilson(40, 40).low) / 2**0.5)


def test_few_patients_widen_the_percentiles():
    values = np.random.default_rng(0).normal(size=20000)
    many, few = (metrics.percentile_interval(values, patients) for patients in (10_000, 8))
    assert many.high == pytest.approx(1.96, abs=0.05)
    # Student's t with 7 degrees of freedom, times the root of 8/7.
    assert few.high == pytest.approx(2.365 * (8 / 7) ** 0.5, abs=0.15)


def test_figures_of_repeats_are_their_means():
    truth = np.arange(80) % 2
    patient_ids = [str(place) for place in range(80)]
    good, bad = outputs(truth, [], []), outputs(truth, [], list(range(20)))
    both = evaluate([good, bad], truth.tolist(), patient_ids, ["a", "b"], "cross_validated", 2)
    assert both.repeats == 2
    assert both.methods[1].balanced_accuracy == pytest.approx((1 + 0.75) / 2)


def test_a_verdict_that_shows_nothing_says_what_so_many_cases_can_show():
    found = judged(list(range(0, 20)), list(range(10, 28)))
    assert found.verdict == "not_shown"
    least = detectable(found.differences[0].interval)
    assert f"detects a difference of {100 * least:.0f} points with 80 % power" in verdict_sentence(found)
    assert "Detecting 10 points takes about" in verdict_sentence(found)
    assert "power" not in verdict_sentence(judged(list(range(40)), []))


def test_four_in_five_tests_show_a_difference_of_the_detectable_size():
    generator = np.random.default_rng(0)
    interval = Interval(-0.196, 0.196)
    seen = generator.normal(detectable(interval), 0.1, 20_000)
    assert (seen - 0.196 > 0).mean() == pytest.approx(0.8, abs=0.01)


def test_of_methods_within_one_standard_error_the_simplest_is_recommended():
    level, clear = judged([1, 2], [3]), judged(list(range(40)), [])
    assert (level.recommended, clear.recommended) == ("zero_shot", "clip_svd")
    assert "simplest method within one standard error" in recommendation_text(level)
    assert "CLIP-SVD (100\N{NO-BREAK SPACE}%)" in recommendation_text(clear)


def test_several_images_of_a_patient_count_as_far_as_they_vary():
    generator = np.random.default_rng(2)
    patient_ids = [str(place // 5) for place in range(200)]
    alike = np.repeat(generator.random(40) < 0.7, 5).astype(float)
    apart = (generator.random(200) < 0.7).astype(float)

    def width(right, patient_ids):
        found = metrics.share_interval(right, patient_ids)
        return found.high - found.low

    plain = metrics.wilson(apart.sum(), 200)
    assert width(apart, patient_ids) == pytest.approx(plain.high - plain.low, rel=0.25)
    # Patients whose images go right or wrong together are 40 pieces of evidence, not 200.
    forty = metrics.wilson(alike[::5].sum(), 40)
    assert width(alike, patient_ids) == pytest.approx(forty.high - forty.low, rel=0.05)
    assert metrics.share_interval(np.ones(200), patient_ids) == metrics.wilson(40, 40)
    assert metrics.share_interval(apart, list(map(str, range(200)))) == plain


def test_methods_that_judge_all_images_alike_leave_room_for_a_difference():
    found = judged([1, 2, 3], [1, 2, 3])
    bound = metrics.wilson(0, 40).high / 2**0.5
    assert found.differences[0].interval.high == pytest.approx(bound)
    assert found.differences[0].p_value == 1.0
    assert found.verdict == "not_shown"
    # No run of 40 patients can show a difference of 0 points.
    assert detectable(found.differences[0].interval) > 0.05


def test_a_difference_that_every_image_shows_is_not_certain_either():
    everything = judged(list(range(80)), [])
    assert everything.differences[0].interval.high == 1.0
    assert 0.8 < everything.differences[0].interval.low < 1.0
    assert everything.verdict == "helped"


def test_a_single_patient_gives_no_certainty():
    found = judged([1], [1], patients=1)
    assert found.differences[0].interval.high > 0.3
    assert found.methods[1].interval.low < 0.5


def test_what_is_equally_sure_counts_by_its_common_error_in_any_order():
    rows = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.6, 0.4]])
    truth = np.array([0, 0, 0, 1, 1])
    one, other = coverage_risk(rows, truth), coverage_risk(rows[::-1], truth[::-1])
    assert one == other
    assert [point.risk for point in one] == pytest.approx([0, 0.25, 1 / 3, 3 / 8, 2 / 5])


def test_too_few_cases_are_not_said_to_show_a_difference_of_more_than_everything():
    found = judged(list(range(40)), list(range(40, 80)), patients=2)
    assert detectable(found.differences[0].interval) > 1
    assert "cannot detect any difference" in verdict_sentence(found)
