"""Facts about the Train page and its estimate of the time left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from shiboken6 import delete
from support.changing import replace

from clipsvd_app.domain.recipe import PRESETS, STARTS, recipe_for
from clipsvd_app.domain.results.evaluation import ClassScore, Evaluation, Interval, MethodScore
from clipsvd_app.domain.results.run import StepMetrics
from clipsvd_app.domain.words.trained import PLAIN_SENTENCE
from clipsvd_app.jobs.stages import CHOICE_STAGE, TRAIN_STAGE
from clipsvd_app.ui.kit.time_left import TimeLeft, time_left_text
from clipsvd_app.ui.train.compare_view import paired_rows
from clipsvd_app.ui.train.page import TrainPage
from clipsvd_app.ui.train.run_clock import RunClock
from clipsvd_app.ui.train.state import (
    ClassCount,
    ComparedRun,
    DeviceOption,
    RunRow,
    TrainChoice,
    TrainProgress,
    TrainState,
)

pytestmark = pytest.mark.gui
RUNS = (
    RunRow(1, "18 Nov", 4, 12, "quick", 0.61, Interval(0.48, 0.72), "not_shown"),
    RunRow(2, "19 Nov", None, 57, "standard", 0.78, Interval(0.66, 0.87), "helped"),
    RunRow(3, "20 Nov", None, 57, "standard", None, None, "not_shown", "failed", "The engine stopped."),
)
STATE = TrainState(
    classes=(ClassCount("normal", 12, 7), ClassCount("lesion", 9, 5)),
    choice=TrainChoice(),
    preset_seconds=(("quick", 40.0), ("standard", 130.0)),
    shot_options=(1, 2, 4, 8),
    devices=(DeviceOption("auto", "Automatic"), DeviceOption("cpu", "CPU")),
    runs=RUNS,
)


def evaluation() -> Evaluation:
    interval = Interval(0.6, 0.9)
    classes = tuple(ClassScore(name, 9, 0.8, interval, 0.8, interval) for name in ("normal", "lesion"))
    methods = tuple(
        MethodScore(name, 0.8, interval, 0.8, None, 0.5, 0.2, classes, ((8, 1), (2, 7)), 0, 1.0)
        for name in ("zero_shot", "clip_svd")
    )
    return Evaluation("held_out", images=18, patients=9, methods=methods, verdict="helped")


@pytest.fixture
def page(qtbot, theme):
    page = TrainPage(theme)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    page.set_state(STATE)
    page.show()
    yield page
    delete(page)


def test_train_asks_for_what_is_chosen(page, qtbot):
    page.setup._presets.card("thorough").click()
    page.setup._estimate.card("shots").click()
    page.setup._shots.setValue(2)
    page.setup._mirror.setChecked(True)
    page.setup._plain.setChecked(True)
    page.setup._device.setCurrentIndex(1)
    with qtbot.waitSignal(page.setup.train_requested) as caught:
        page.setup._train.click()
    assert caught.args == [TrainChoice("thorough", 2, "cpu", flip=False, plain=True)]


def test_a_locked_test_is_asked_for_only_where_it_is_possible(page, qtbot):
    assert not page.setup._locked.isEnabled()
    page.set_state(replace(STATE, locked_possible=True, locked_sentence="A quarter of the patients."))
    with qtbot.waitSignal(page.setup.choice_changed) as caught:
        page.setup._locked.setChecked(True)
    assert caught.args == [TrainChoice(locked=True)]


def test_showing_a_state_asks_for_nothing(page, qtbot):
    with (
        qtbot.assertNotEmitted(page.setup.choice_changed),
        qtbot.assertNotEmitted(page.setup.train_requested),
    ):
        page.set_state(replace(STATE, choice=TrainChoice("quick", 4, "cpu", flip=False, plain=True)))
    assert page.setup.choice() == TrainChoice("quick", 4, "cpu", flip=False, plain=True)


def test_exactly_one_preset_is_chosen_at_any_time(page):
    card = page.setup._presets.card("standard")
    card.click()
    card.click()
    assert page.setup.choice().preset == "standard"
    assert card.isChecked()


def test_a_blocked_page_says_why_and_cannot_train(page):
    page.set_state(replace(STATE, blocked="“lesion” has no image: label at least one."))
    assert not page.setup._train.isEnabled()
    assert "no image" in page.setup._blocked.text()


def test_without_classes_the_page_says_what_to_do_next(page, qtbot):
    page.set_state(TrainState())
    assert page._empty.isVisible()
    with qtbot.waitSignal(page.empty_action) as caught:
        page._empty.action_requested.emit("label")
    assert caught.args == ["label"]


def test_a_run_in_progress_locks_the_recipe_and_offers_cancel(page, qtbot):
    page.set_progress(TrainProgress("Training", 3, 10, 42.0))
    assert not page.setup._presets.isEnabled()
    assert not page.setup._train.isVisible()
    with qtbot.waitSignal(page.progress.cancel_requested):
        page.progress._cancel.click()
    page.set_progress(TrainProgress("Training", 3, 10, cancelling=True))
    assert not page.progress._cancel.isEnabled()
    page.set_progress(None)
    assert page.setup._train.isVisible()


def test_the_curves_grow_while_the_run_trains(page):
    page.progress.curves.start(120)
    for step in (1, 2, 3):
        page.progress.curves.add_point(StepMetrics(step, 1.0 / step, 0.5, 0.04))
    assert len(page.progress.curves.data_rows()) == 4


def test_two_finished_runs_can_be_compared_and_a_failed_one_cannot(page, qtbot):
    page.runs.mark(1, 3)
    assert not page.runs._compare.isEnabled()
    page.runs.mark(1, 2)
    with qtbot.waitSignal(page.runs.compare_requested) as caught:
        page.runs._compare.click()
    assert caught.args == [1, 2]


def test_a_failed_run_shows_no_accuracy(page):
    texts = [page.runs._table.item(0, column).text() for column in range(7)]
    assert texts[0] == "3"
    assert "Failed" in texts
    assert not any("%" in text for text in texts)


def test_marks_outlive_a_new_list_of_runs(page):
    page.runs.mark(1, 2)
    page.set_state(STATE)
    assert {run.number for run in page.runs._marked()} == {1, 2}


def test_a_comparison_puts_like_above_like(page):
    first, second = (ComparedRun(f"Run {n}", (("Seed", str(n)),), evaluation()) for n in (1, 2))
    titles = [title for title, _ in paired_rows(first, second)]
    assert [title.split(", ")[1] for title in titles] == ["Run 1", "Run 2"] * 2
    page.set_comparison((first, second))
    assert page.comparison.isVisible()
    page.comparison.closed.emit()
    assert page.progress.isVisible()


def test_runs_judged_on_other_patients_come_with_a_caution(page):
    other = replace(evaluation(), images=20)
    page.set_comparison((ComparedRun("Run 1", (), evaluation()), ComparedRun("Run 2", (), evaluation())))
    assert not page.comparison._caution.isVisible()
    page.set_comparison((ComparedRun("Run 1", (), evaluation()), ComparedRun("Run 2", (), other)))
    assert page.comparison._caution.isVisible()


def test_plain_clip_svd_can_be_asked_for_with_the_keyboard_and_is_explained(page, qtbot):
    box = page.setup._plain
    assert not box.isChecked()
    assert box.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert page.setup._plain_note.text() == box.accessibleDescription() == PLAIN_SENTENCE
    with qtbot.waitSignal(page.setup.choice_changed) as caught:
        qtbot.keyClick(box, Qt.Key.Key_Space)
    assert caught.args == [TrainChoice(plain=True)]
    page.set_progress(TrainProgress("Training", 3, 10))
    assert not box.isEnabled(), "what a run in progress was asked for cannot change"


def test_a_preset_can_be_chosen_with_the_keyboard(page, qtbot):
    card = page.setup._presets.card("quick")
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_Space)
    assert page.setup.choice().preset == "quick"


@given(st.floats(0.05, 20), st.integers(6, 200), st.floats(0, 1))
def test_a_steady_pace_is_foretold(pace_s, total, share):
    done = max(5, min(total - 1, round(total * share)))
    left = TimeLeft()
    for step in range(done + 1):
        left.observe("train", step, total, step * pace_s)
    told = left.seconds_left(done * pace_s)
    if done * pace_s >= 1.5:
        assert told == pytest.approx(pace_s * (total - done), rel=1e-6)
    else:
        assert told is None


@given(st.lists(st.floats(0, 60), min_size=1, max_size=40), st.integers(1, 60), st.floats(0, 100))
def test_the_time_left_is_never_negative(gaps, total, waited):
    left, now = TimeLeft(), 0.0
    for step, gap in enumerate(gaps):
        now += gap
        left.observe("train", min(step, total), total, now)
        told = left.seconds_left(now + waited)
        assert told is None or told >= 0


@given(st.integers(10, 18), st.floats(60, 6000))
def test_one_stalled_step_does_not_move_the_time_left(stalled, stall_s):
    left, now = TimeLeft(), 0.0
    for step in range(21):
        now += stall_s if step == stalled else 1.0
        left.observe("train", step, 40, now)
    assert left.seconds_left(now) == pytest.approx(20.0)


def planned_stages(recipe, *, folds: int, chosen: bool) -> list[tuple[str, int]]:
    """The stages with steps of a run, in order: folds and their plain fits, or one fit and its plain one."""
    choice = [(CHOICE_STAGE, len(STARTS) * recipe.choice_folds * recipe.choice_steps)] if chosen else []
    fit = (TRAIN_STAGE, recipe.steps * recipe.seeds)
    plain = [] if recipe.plain else [(f"as in the paper: {TRAIN_STAGE}", fit[1])]
    if not folds:
        return [*choice, fit, *plain]
    within = [(f"{fold}: {name}", n) for fold in range(folds) for name, n in (*choice, fit, *plain)]
    return [*within, *choice, fit]


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("cross_validated", [True, False])
@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_clock_of_a_run_foretells_all_its_fits(preset, cross_validated, plain):
    recipe = recipe_for(preset, plain=plain)
    folds = recipe.folds if cross_validated else 0
    stages = planned_stages(recipe, folds=folds, chosen=not plain)
    steps = [(stage, step + 1, total) for stage, total in stages for step in range(total)]
    clock = RunClock(recipe, fits=1 + folds, tested=max(1, folds), chosen=not plain)
    clock.observe("Reading images", 1, 1, 0.0, steps=False)
    for number, (stage, done, total) in enumerate(steps, start=1):
        clock.observe(stage, done, total, float(number), steps=True)
        if number > 10:
            assert clock.total == len(steps)
            assert clock.seconds_left(float(number)) == pytest.approx(len(steps) - number)
    assert clock.done == len(steps)


@given(st.lists(st.booleans(), min_size=8, max_size=8))
def test_what_is_not_needed_leaves_the_plan_and_progress_never_goes_back(needed):
    recipe = PRESETS["quick"]
    stages = planned_stages(recipe, folds=2, chosen=True)
    assert len(stages) == len(needed)
    clock, shares, made = RunClock(recipe, fits=3, tested=2, chosen=True), [0.0], 0
    for (stage, total), runs in zip(stages, needed, strict=True):
        for done in range(1, total + 1) if runs else [total]:
            clock.observe(stage, done, total, 0.0, steps=runs)
            shares.append(clock.done / max(1, clock.total))
        made += total if runs else 0
    assert shares == sorted(shares)
    assert (clock.done, clock.total) == (made, made)
    clock.observe("Recording activations", 2, 7, 0.0, steps=False)
    assert (clock.done, clock.total) == (2, 7)


def test_the_clock_counts_what_follows_the_last_step_by_itself():
    clock = RunClock(PRESETS["quick"], fits=1, tested=0, chosen=False)
    clock.observe("Computing features", 3, 9, 0.0, steps=False)
    assert (clock.done, clock.total) == (0, PRESETS["quick"].steps)
    for number in range(PRESETS["quick"].steps):
        clock.observe("Training", number + 1, PRESETS["quick"].steps, float(number), steps=True)
    for number in range(1, 9):
        clock.observe("Recording activations", number, 20, 100.0 + 2 * number, steps=False)
    assert (clock.done, clock.total) == (8, 20)
    assert clock.seconds_left(116.0) == pytest.approx(24.0)


def test_the_clock_is_told_of_fits_that_will_not_be_made():
    clock = RunClock(PRESETS["quick"], fits=4, tested=3, chosen=False)
    clock.plan(1, 0)
    assert clock.total == PRESETS["quick"].steps


def test_a_run_longer_than_its_plan_is_not_called_done_early():
    clock = RunClock(PRESETS["quick"], fits=1, tested=0, chosen=False)
    total = PRESETS["quick"].steps
    for number in range(1, total + 1):
        clock.observe("first", number, total, float(number), steps=True)
    clock.observe("second", 1, total, total + 1.0, steps=True)
    assert (clock.done, clock.total) == (total + 1, 2 * total)
    assert clock.seconds_left(total + 1.0) == pytest.approx(total - 1.0)


def test_a_finished_stage_has_nothing_left():
    left = TimeLeft()
    left.observe("train", 5, 5, 1.0)
    assert left.seconds_left(2.0) == 0.0


def test_a_new_stage_starts_over():
    left = TimeLeft()
    for step in range(10):
        left.observe("search", step, 20, step)
    left.observe("train", 0, 120, 10.0)
    assert left.seconds_left(10.0) is None
    assert time_left_text(None) == "Estimating the remaining time…"


@given(st.floats(0, 1e6))
def test_the_time_left_is_told_coarsely_and_always(seconds):
    assert time_left_text(seconds)
