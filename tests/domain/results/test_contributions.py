"""Facts about a margin told in steps: it sums to what is shown, whatever is grouped."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.made_explanation import RUN, attribution, case_map, made_case, untold

from clipsvd_app.domain.results.contributions import (
    HEAD_CONTROLS,
    adds_up,
    change_steps,
    heads_are_told,
    term_steps,
)
from clipsvd_app.domain.results.explanation import ScorePart
from clipsvd_app.domain.words.case import map_verdict
from clipsvd_app.engine.explain.run_controls import run_controls


@pytest.mark.parametrize("detail", ["side", "layer", "head"])
@pytest.mark.parametrize("most", [1, 3, 12, 100])
def test_the_steps_lead_from_the_base_to_the_shown_margin(detail, most):
    found = attribution(miss=4e-4)
    steps = change_steps(found, detail, most)
    assert steps[0].end == found.zero_shot_margin
    assert steps[-1].end == found.adapted_margin
    assert steps[-2].end == pytest.approx(found.adapted_margin, abs=1e-12)
    assert [step.start for step in steps[1:-1]] == [step.end for step in steps[:-2]]


def test_every_part_stands_in_exactly_one_step():
    found = attribution()
    for detail in ("side", "layer", "head"):
        steps = change_steps(found, detail, 4)
        assert sum(step.parts for step in steps if step.kind in ("part", "sum")) == len(found.parts)


def test_small_parts_are_one_named_sum_of_each_side():
    steps = change_steps(attribution(), "head", 3)
    sums = [step for step in steps if step.kind == "sum"]
    assert [step.tower for step in sums] == ["image", "text"]
    assert all(step.name.endswith(f"smaller contributions, {step.tower} encoder") for step in sums)
    assert len([step for step in steps if step.kind == "part"]) == 3


def test_two_sides_are_told_apart():
    found = attribution()
    image, text = (step for step in change_steps(found, "side") if step.kind == "part")
    assert (image.tower, text.tower) == ("image", "text")
    assert image.value == pytest.approx(sum(p.margin for p in found.parts if p.tower == "image"))


def test_the_terms_of_the_image_tower_sum_to_the_margin_too():
    case = made_case()
    steps = term_steps(case, 4)
    assert steps[-2].end == pytest.approx(case.margin, abs=1e-12)
    assert steps[-1].end == case.margin


@pytest.mark.parametrize("detail", ["side", "layer", "head"])
def test_the_class_head_is_named_apart_from_both_encoders_and_never_among_the_small(detail):
    plain = attribution()
    part = ScorePart(0.01, 0.001, "class_head", tower=None)
    found = replace(plain, parts=(*plain.parts, part), adapted_margin=plain.adapted_margin + part.margin)
    *_, step, residual, total = change_steps(found, detail, 1)
    assert (step.name, step.kind, step.tower, step.parts) == ("Class head", "part", None, 1)
    assert step.value == pytest.approx(0.001)
    assert residual.end == pytest.approx(total.end, abs=1e-12)


def test_the_bias_of_a_class_head_is_a_term_of_its_own():
    case = made_case()
    bias = ScorePart(0.5, 0.4, "class_bias", tower=None)
    steps = term_steps(replace(case, decomposition=(*case.decomposition, bias), margin=case.margin + 0.4), 1)
    assert [step.name for step in steps[-3:]] == ["Bias of the class head", "Rounding", "Margin"]
    assert steps[-2].end == pytest.approx(steps[-1].end, abs=1e-12)


def test_parts_that_do_not_add_up_are_not_told():
    assert adds_up(attribution(5e-4))
    assert not adds_up(attribution(2e-3))


def test_heads_are_told_only_where_both_controls_held():
    assert heads_are_told(RUN.controls)
    assert not heads_are_told(untold().controls)
    assert not heads_are_told(())


def test_the_engine_gives_every_control_that_heads_are_held_to():
    codes = {control.code for control in run_controls(RUN.heads, images=64)}
    assert set(HEAD_CONTROLS) <= codes


def test_a_failed_map_says_what_it_did_not_beat():
    assert "passed" in map_verdict(case_map())
    failed = map_verdict(case_map(passed=False))
    assert "not shown" in failed
    assert "centre" in failed
    assert "random areas" in failed
