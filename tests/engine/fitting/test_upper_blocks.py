"""Training the upper blocks over remembered activations: the same model, less work."""

from __future__ import annotations

import pytest
import torch
from support.changing import replace

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.data.images import normalise
from clipsvd_app.engine.fitting.adapt import adapt
from clipsvd_app.engine.fitting.blocks import depth, first_trained
from clipsvd_app.engine.fitting.fit import FitTask, fit
from clipsvd_app.engine.fitting.forward import WholeForward
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.memory import plan_memory
from clipsvd_app.engine.fitting.upper_forward import UpperForward

WHOLE = Recipe(steps=4, batch_size=8, flip=False)
UPPER = replace(WHOLE, trained_share=1 / 3, views=2)


@pytest.fixture
def learner(backbone, basis, disc_classes):
    return Learner(backbone, basis, disc_classes, UPPER)


def ignore(*_) -> None:
    """Take progress and drop it."""


def test_the_upper_blocks_over_remembered_activations_answer_as_the_whole_model(learner, disc_examples):
    upper, whole = UpperForward(learner), WholeForward(replace(learner, recipe=WHOLE))
    for forward in (upper, whole):
        forward.attachment.refresh()
    # Both round to bfloat16 where the processor has it, in products of different form.
    torch.testing.assert_close(
        upper.plain_logits(disc_examples.plain), whole.plain_logits(disc_examples.plain), rtol=0.02, atol=0.2
    )


def test_only_the_upper_third_is_trained_and_the_adapter_holds_all(learner, disc_examples, basis):
    trained = adapt(learner, disc_examples, 0, ignore)
    first = first_trained(learner.backbone.model, 1 / 3)
    assert set(trained.sigmas) == {target.name for target in basis.targets}
    for target in basis.targets:
        changed = bool((trained.sigmas[target.name] != trained.sigma_base[target.name]).any())
        assert changed == (target.layer >= first[target.tower]), target.name


def test_lower_blocks_see_each_view_of_each_picture_once(learner, disc_examples, monkeypatch):
    seen = []
    lower = UpperForward._lower_images
    monkeypatch.setattr(
        UpperForward, "_lower_images", lambda self, images: seen.append(len(images)) or lower(self, images)
    )
    for seed in range(2):
        fit(learner, disc_examples, FitTask(f"fit {seed}", 0.01, 3, seed), ignore)
    assert sum(seen) == UPPER.views * len(disc_examples)


def test_views_differ_from_one_another_and_from_the_picture(learner, disc_examples):
    upper = UpperForward(learner)
    picture = disc_examples.large[:1]
    one, two = (upper._view(picture, f"key/{view}") for view in range(2))
    plain = normalise(disc_examples.plain[:1], learner.backbone.preprocessing)
    assert not torch.equal(one, two)
    assert one.shape == plain.shape
    assert torch.equal(one, upper._view(picture, "key/0"))


def test_a_share_of_blocks_always_trains_one(backbone):
    blocks = depth(backbone.model, "image")
    assert first_trained(backbone.model, 1e-6)["image"] == blocks - 1
    assert first_trained(backbone.model, 1.0)["image"] == 0


def test_the_less_memory_there_is_the_more_is_done_about_it(backbone):
    plans = [plan_memory(backbone, 16, free) for free in (10**12, 4 * 10**6, 10**6, 1)]
    assert (plans[0].checkpointed, plans[0].parts, plans[0].notes) == (False, 1, ())
    assert plans[1].checkpointed
    assert [plan.parts for plan in plans] == sorted(plan.parts for plan in plans)
    assert plans[-1].parts == 16
    assert plans[-1].notes[-1].code == "smaller_parts"
