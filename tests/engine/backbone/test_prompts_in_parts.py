"""No number of images, views, prompts or classes is too many for the memory: what is unbounded is cut."""

from __future__ import annotations

import errno
import gc
import weakref
from pathlib import Path

import pytest
import torch
from support.changing import replace

from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.domain.recipe import STARTS, Recipe
from clipsvd_app.domain.results.run import RunNote
from clipsvd_app.engine.backbone.backbone import embed_texts
from clipsvd_app.engine.backbone.prompts import prompt_batch
from clipsvd_app.engine.fitting import fit as fit_module
from clipsvd_app.engine.fitting.adapt import adapt, logging_report
from clipsvd_app.engine.fitting.checkpoints import FolderCheckpoints
from clipsvd_app.engine.fitting.fit import FitTask, accumulate, fit
from clipsvd_app.engine.fitting.forward import IMAGES_AT_ONCE, WholeForward
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.lower_cache import LowerCache
from clipsvd_app.engine.fitting.memory import plan_memory
from clipsvd_app.engine.fitting.upper_forward import PREPARING_STAGE, UpperForward
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.errors import Cancelled

WHOLE = Recipe(steps=3, choice_steps=2, batch_size=8, flip=False)
UPPER = replace(WHOLE, trained_share=1 / 3, views=2)
FORMS = pytest.mark.parametrize(("recipe", "form"), [(WHOLE, WholeForward), (UPPER, UpperForward)])
MANY = tuple(class_from_name("bright " * (number % 4) + f"disc {number}") for number in range(12))
TASK = FitTask("a fit", 0.05, 3, 0)


@pytest.fixture
def learner(backbone, basis, disc_classes):
    return Learner(backbone, basis, disc_classes, UPPER, dtype=torch.float32)


def ignore(*_) -> None:
    """Take progress and drop it."""


def test_prompts_in_parts_hold_so_many_tokens_and_mean_the_same(backbone):
    whole, cut = prompt_batch(backbone, MANY), prompt_batch(backbone, MANY, 40)
    assert len(whole.parts) == 1
    assert all(part.numel() <= 40 or len(part) == 1 for part in cut.parts)
    assert sum(len(part) for part in cut.parts) == len(whole.parts[0])
    with torch.no_grad():
        torch.testing.assert_close(
            cut.class_embeddings(backbone.model), whole.class_embeddings(backbone.model)
        )


@FORMS
def test_the_gradient_of_prompts_in_parts_is_that_of_one_graph(learner, disc_examples, recipe, form):
    forward = form(replace(learner, recipe=recipe, classes=MANY))
    labels = torch.tensor(disc_examples.labels[:8])
    inputs = forward.inputs(disc_examples, range(8), 0, 0)
    found = []
    for tokens in (10_000, 60, 1):
        forward.cut_prompts(tokens)
        forward.attachment.state.a.grad = None
        loss, _ = accumulate(forward, inputs, labels, 2)
        found.append((loss, forward.attachment.state.a.grad.clone()))
    assert forward.prompts.is_smallest
    for loss, gradient in found[1:]:
        assert loss == pytest.approx(found[0][0], rel=1e-5)
        torch.testing.assert_close(gradient, found[0][1], rtol=1e-3, atol=1e-6)


def test_the_graph_of_prompts_in_parts_is_never_larger_than_a_part(learner, disc_examples, monkeypatch):
    forward = WholeForward(replace(learner, recipe=WHOLE, classes=MANY))
    forward.cut_prompts(60)
    with_gradients, pulses = [], []
    embed = WholeForward.prompt_embeddings

    def watched(self, part):
        rows = embed(self, part)
        with_gradients.append(len(rows) if rows.requires_grad else 0)
        return rows

    monkeypatch.setattr(WholeForward, "prompt_embeddings", watched)
    inputs = forward.inputs(disc_examples, range(8), 0, 0)
    accumulate(forward, inputs, torch.tensor(disc_examples.labels[:8]), 1, pulse=lambda: pulses.append(1))
    assert sum(with_gradients) == sum(len(part) for part in forward.prompts.parts)
    assert max(with_gradients) == max(len(part) for part in forward.prompts.parts)
    assert len(pulses) == 2 * len(forward.prompts.parts) + 1, "a long step can be cancelled between its parts"


def test_running_out_of_memory_on_prompts_cuts_them(learner, disc_examples, monkeypatch):
    whole_learner = replace(learner, recipe=WHOLE, classes=MANY)
    straight = fit(whole_learner, disc_examples, TASK, ignore)
    embed = WholeForward.prompt_embeddings

    def scarce(self, part):
        if len(self.prompts.parts[part]) > 6:
            raise torch.OutOfMemoryError
        return embed(self, part)

    monkeypatch.setattr(WholeForward, "prompt_embeddings", scarce)
    cut = fit(whole_learner, disc_examples, TASK, ignore)
    assert any(note.code == "smaller_parts" for note in cut.notes)
    assert [p.loss for p in cut.curve] == pytest.approx([p.loss for p in straight.curve], rel=0.05)


def test_a_plan_counts_the_prompts_and_cuts_them_first(backbone):
    plans = [plan_memory(backbone, 4, 10**9, prompts) for prompts in (0, 200, 10**6)]
    assert plans[0] == plans[1]
    assert not any(plan.short for plan in plans)
    assert plans[2].prompt_tokens < 10**6
    room = next(free for free in range(10**6, 10**9, 10**6) if not plan_memory(backbone, 4, free).short)
    tight = plan_memory(backbone, 4, room, 2000)
    assert (tight.checkpointed, tight.prompt_tokens < 2000) == (False, True)
    assert plan_memory(backbone, 4, 1, 2000).prompt_tokens == 1


@FORMS
def test_inner_test_images_go_through_in_parts(learner, recipe, form, monkeypatch):
    forward = form(replace(learner, recipe=recipe))
    forward.attachment.refresh()
    pixels = torch.randint(256, (2 * IMAGES_AT_ONCE + 3, 3, 64, 64), dtype=torch.uint8)
    seen, logits = [], form.logits
    monkeypatch.setattr(
        form, "logits", lambda self, rows, *given: seen.append(len(rows)) or logits(self, rows, *given)
    )
    found = forward.plain_logits(pixels)
    assert seen == [IMAGES_AT_ONCE, IMAGES_AT_ONCE, 3]
    torch.testing.assert_close(found[-3:], forward.plain_logits(pixels[-3:]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("memory", "disk", "codes"),
    [(10**9, 0, []), (20_000, 10**9, ["lower_on_disk"]), (20_000, 30_000, ["lower_recomputed"])],
)
def test_views_beyond_the_memory_lie_in_a_file_or_are_computed_anew(
    learner, disc_examples, memory, disk, codes
):
    plenty = fit(learner, disc_examples, TASK, ignore)
    cache = LowerCache(memory, disk)
    bounded = fit(replace(learner, lower=cache), disc_examples, TASK, ignore)
    assert sum(tensor.nbytes for tensor in cache._known.values()) <= memory
    assert cache._spilled is None or cache._spilled.size <= disk
    assert [note.code for note in bounded.notes] == codes
    assert [p.loss for p in bounded.curve] == pytest.approx([p.loss for p in plenty.curve], rel=1e-4)


class FullDisk:
    """A stream on which nothing more can be written."""

    def seek(self, _place):
        return 0

    def write(self, _content):
        raise OSError(errno.ENOSPC, "full")


def test_a_disk_that_fills_up_while_views_are_kept_ends_nothing(learner, disc_examples, monkeypatch):
    from clipsvd_app.engine.fitting.lower_cache import _SpillFile

    cache = LowerCache(20_000)
    monkeypatch.setattr(_SpillFile, "open", classmethod(lambda cls, _: cls(FullDisk(), 10**9)))
    fitted = fit(replace(learner, lower=cache), disc_examples, TASK, ignore)
    assert RunNote("lower_recomputed") in fitted.notes


def test_half_precision_activations_come_back_from_the_file_as_they_were():
    cache = LowerCache(0, 10**6)
    tokens = torch.arange(12).reshape(3, 4)
    made = torch.randn(3, 4, 5).to(torch.bfloat16)
    assert torch.equal(cache.text(tokens, lambda _: made), made)
    assert torch.equal(cache.text(tokens, lambda _: None), made)


def test_what_the_cache_will_take_is_counted_before_a_step_is_planned(learner, disc_examples, monkeypatch):
    asked = []
    plan = fit_module.plan_memory
    monkeypatch.setattr(fit_module, "free_memory", lambda _: 10**12)
    monkeypatch.setattr(fit_module, "plan_memory", lambda *given: asked.append(given[2]) or plan(*given))
    cache = LowerCache(10**9)
    fit(replace(learner, lower=cache), disc_examples, TASK, ignore)
    (each,) = {tensor.nbytes for key, tensor in cache._known.items() if not key.startswith("text")}
    assert 10**12 - asked[0] == pytest.approx(len(disc_examples) * each, rel=0.05)


def test_views_are_reported_and_can_be_cancelled_before_the_first_step(learner, disc_examples):
    told = []

    def stop(stage, done, total, metrics=None):
        told.append((stage, done, total))
        if len(told) == 2:
            raise Cancelled

    plain = replace(learner, recipe=replace(UPPER, plain=True))
    with pytest.raises(Cancelled):
        adapt(plain, disc_examples, 0, stop, "Estimate 1 of 3: ")
    assert [entry[0] for entry in told] == [f"Estimate 1 of 3: {PREPARING_STAGE}"] * 2
    # Views that the unit of the rate was measured on are known already.
    (first, total), (second, _) = (entry[1:3] for entry in told)
    assert first == 0
    assert total // UPPER.views <= second < total


def test_no_fit_stays_in_memory_for_the_next(learner, disc_examples, monkeypatch):
    recipe = replace(WHOLE, seeds=3, steps=1, fewest_to_choose=2, shares=(1.0,), share=1.0)
    alive, most = weakref.WeakSet(), []
    build = fit_module.forward_for

    def counted(*given):
        most.append(len(alive))
        alive.add(forward := build(*given))
        return forward

    monkeypatch.setattr(fit_module, "forward_for", counted)
    gc.disable()
    try:
        adapt(replace(learner, recipe=recipe), disc_examples, 0, ignore)
    finally:
        gc.enable()
    assert most == [0] * (len(STARTS) * recipe.choice_folds + recipe.seeds)


def no_space(path, mode="r", *args, opens=Path.open, **options):
    if "w" in mode:
        raise OSError(errno.ENOSPC, "No space left on device")
    return opens(path, mode, *args, **options)


def test_a_full_disk_ends_no_training(learner, disc_examples, tmp_path, monkeypatch):
    straight = fit(learner, disc_examples, TASK, ignore)
    kept = FolderCheckpoints(tmp_path / "run", between_s=0)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", no_space)
        fitted = fit(replace(learner, checkpoints=kept), disc_examples, TASK, ignore)
    assert torch.equal(fitted.a, straight.a)
    assert kept.notes == (RunNote("no_checkpoints"),)
    assert not list((tmp_path / "run").iterdir()), "nothing half-written stays"


def test_a_curve_that_cannot_be_written_is_still_reported(tmp_path):
    told = []
    report = logging_report(lambda *given: told.append(given), tmp_path / "no such folder" / "curve.jsonl")
    report("Training", 1, 2, {"loss": 1.0})
    assert told == [("Training", 1, 2, {"loss": 1.0})]


def test_a_basis_that_cannot_be_kept_is_used_all_the_same(backbone, basis, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", no_space)
        found = load_basis(backbone, ignore, tmp_path)
    assert found.fingerprint == basis.fingerprint
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_long_prompts_do_not_pad_the_short_ones(backbone):
    classes = (ClassSpec("long", ("disc " * 20,)), ClassSpec("short", ("disc", "a disc")))
    cut = prompt_batch(backbone, classes, 30)
    assert [part.shape for part in cut.parts] == [(2, 4), (1, 22)]
    with torch.no_grad():
        alone = embed_texts(backbone.model, backbone.tokenize(["disc " * 20]))[0]
        torch.testing.assert_close(cut.class_embeddings(backbone.model)[0], alone)
