"""A training step reads a share of the patches; prediction reads all of them."""

from __future__ import annotations

import pytest
import torch
from support.changing import replace

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.backbone.architectures import tokens_per_image
from clipsvd_app.engine.fitting.blocks import PatchDrop, table_of
from clipsvd_app.engine.fitting.forward import WholeForward, class_embeddings
from clipsvd_app.engine.fitting.learner import Learner

RECIPE = Recipe(steps=1, batch_size=4, kept_patches=0.5)


@pytest.fixture
def learner(backbone, basis, disc_classes):
    return Learner(backbone, basis, disc_classes, RECIPE, dtype=torch.float32)


def tokens_read(forward, inputs) -> int:
    """Tokens that reach the first block of the image tower."""
    seen = []
    blocks = forward.attachment.model.get_submodule(table_of(forward.attachment.model, "image").blocks)
    hook = next(blocks.children()).register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[1]))
    forward.attachment.refresh()
    with torch.no_grad():
        forward.logits(inputs, class_embeddings(forward))
    hook.remove()
    return seen[0]


def test_a_step_reads_half_of_the_patches_and_the_class_token(learner, disc_examples):
    forward = WholeForward(learner)
    patches = tokens_per_image(learner.backbone.model) - 1
    inputs = forward.inputs(disc_examples, range(4), 0, 0)
    assert tokens_read(forward, inputs) == 1 + round(patches / 2)
    kept = forward.patches.kept
    assert kept[0] == 0, "the class token stays"
    assert len(set(kept.tolist())) == len(kept)
    assert int(kept.max()) <= patches


def test_the_patches_of_a_step_follow_from_seed_and_step(learner, disc_examples):
    drawn = []
    for seed, step in ((0, 0), (0, 0), (0, 1), (1, 0)):
        forward = WholeForward(learner)
        forward.inputs(disc_examples, range(4), seed, step)
        drawn.append(forward.patches.kept.tolist())
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert drawn[0] != drawn[3]


def test_prediction_reads_every_patch_also_after_a_step(learner, disc_examples):
    forward = WholeForward(learner)
    forward.attachment.refresh()
    before = forward.plain_logits(disc_examples.plain)
    forward.inputs(disc_examples, range(4), 0, 0)
    torch.testing.assert_close(forward.plain_logits(disc_examples.plain), before)
    whole = WholeForward(replace(learner, recipe=replace(RECIPE, kept_patches=1.0)))
    whole.attachment.refresh()
    assert whole.patches is None
    torch.testing.assert_close(whole.plain_logits(disc_examples.plain), before)


def test_however_small_the_share_one_patch_is_left():
    drop = PatchDrop(1, 9, 0.01)
    drop.choose(torch.Generator().manual_seed(0))
    assert drop(torch.zeros(2, 10, 3)).shape == (2, 2, 3)
