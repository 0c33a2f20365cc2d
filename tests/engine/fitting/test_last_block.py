"""The last image block for the class token alone: the same logits and gradients for less work."""

from __future__ import annotations

import pytest
import torch
from support.tiny_backbone import IMAGE_SIZE
from support.tiny_clip import tiny_clip

from clipsvd_app.engine.backbone.backbone import embed_images
from clipsvd_app.engine.backbone.plain_attention import use_plain_attention
from clipsvd_app.engine.fitting.blocks import last_block
from clipsvd_app.engine.fitting.last_block import ClassTokenBlock, use_class_token_only
from clipsvd_app.engine.sigma.layers import attach

IMAGES = torch.randn((3, 3, IMAGE_SIZE, IMAGE_SIZE), generator=torch.Generator().manual_seed(0))


def embedded_with_gradient(backbone, basis, *, alone):
    attachment = attach(backbone.model, basis, {"image": 1, "text": 1})
    if alone:
        assert use_class_token_only(attachment.model)
    attachment.refresh()
    found = embed_images(attachment.model, IMAGES)
    found[:, 0].sum().backward()
    return found.detach(), attachment.state.a.grad


def test_embeddings_and_gradients_are_those_of_the_whole_block(backbone, basis):
    found, gradient = embedded_with_gradient(backbone, basis, alone=True)
    expected, expected_gradient = embedded_with_gradient(backbone, basis, alone=False)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-4, atol=1e-5)


def test_the_backbone_keeps_its_own_block(backbone, basis):
    attachment = attach(backbone.model, basis, {"image": 1, "text": 1})
    assert use_class_token_only(attachment.model)
    assert isinstance(last_block(attachment.model, "image"), ClassTokenBlock)
    assert not isinstance(last_block(backbone.model, "image"), ClassTokenBlock)


@pytest.mark.parametrize("pool", ["avg", "max"])
def test_a_tower_that_reads_all_tokens_stays_whole(backbone, basis, pool):
    attachment = attach(backbone.model, basis, {"image": 1, "text": 1})
    attachment.model.get_submodule("visual.trunk").global_pool = pool
    assert not use_class_token_only(attachment.model)


def test_another_kind_of_tower_stays_whole():
    assert not use_class_token_only(use_plain_attention(tiny_clip()))
