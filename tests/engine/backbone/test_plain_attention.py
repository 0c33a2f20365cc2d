"""open_clip's own towers, made of plain linear layers: the same model, and one that can be adapted."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
import torch
from support.tiny_clip import MATRICES, SIZE, TRAINED_NUMBERS, tiny_clip, write_tiny_clip
from torch import nn

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.backbone.architectures import list_targets
from clipsvd_app.engine.backbone.backbone import embed_images, embed_texts, load_backbone
from clipsvd_app.engine.backbone.plain_attention import PlainAttention, PlainBlock, use_plain_attention
from clipsvd_app.engine.data.examples import Examples
from clipsvd_app.engine.data.features import embed_squares
from clipsvd_app.engine.data.images import model_square
from clipsvd_app.engine.device.torch_setup import import_open_clip
from clipsvd_app.engine.fitting.fit import FitTask, fit
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.engine.sigma.layers import attach, fold
from clipsvd_app.errors import UserError

IMAGES = torch.rand((3, 3, SIZE, SIZE), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module", params=[False, True], ids=["CLIP", "CustomTextCLIP"])
def stock(request) -> nn.Module:
    return tiny_clip(custom_text=request.param)


@pytest.fixture(scope="module", params=[False, True], ids=["CLIP", "CustomTextCLIP"])
def loaded(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip") / f"clip-{request.param}"
    return load_backbone(write_tiny_clip(folder, custom_text=request.param))


def tokens() -> torch.Tensor:
    return import_open_clip().tokenize(["a chest film", "a much longer sentence about a chest film"])


def test_both_towers_give_what_the_stock_model_gives(stock):
    plain = use_plain_attention(deepcopy(stock))
    assert not [module for module in plain.modules() if isinstance(module, nn.MultiheadAttention)]
    torch.testing.assert_close(plain.encode_image(IMAGES), stock.encode_image(IMAGES), rtol=0, atol=1e-5)
    torch.testing.assert_close(plain.encode_text(tokens()), stock.encode_text(tokens()), rtol=0, atol=1e-5)


def test_the_causal_mask_hides_what_comes_after_the_end(stock):
    plain, changed = use_plain_attention(deepcopy(stock)), tokens()
    before = plain.encode_text(changed)
    changed[0, 60:] = 7
    torch.testing.assert_close(plain.encode_text(changed)[0], before[0])


def test_the_state_dict_keeps_the_names_and_tensors_of_the_checkpoint(stock):
    plain = use_plain_attention(deepcopy(stock))
    ours, theirs = plain.state_dict(), stock.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_checkpoint_loads_into_the_plain_model(stock):
    plain = use_plain_attention(tiny_clip(custom_text=hasattr(stock, "text"), seed=5))
    plain.load_state_dict(stock.state_dict())
    torch.testing.assert_close(plain.encode_image(IMAGES), stock.encode_image(IMAGES), rtol=0, atol=1e-5)


@pytest.mark.parametrize("batch_first", [True, False])
def test_a_gradient_flows_as_in_the_stock_block(batch_first):
    from open_clip.transformer import ResidualAttentionBlock

    torch.manual_seed(2)
    block = ResidualAttentionBlock(16, 4, batch_first=batch_first)
    plain = PlainBlock(deepcopy(block))
    shape = (2, 5, 16) if batch_first else (5, 2, 16)
    mask = torch.full((5, 5), float("-inf")).triu(1)
    gradients = []
    for layer in (block, plain):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(3)).requires_grad_()
        layer(x, attn_mask=mask).square().sum().backward()
        gradients.append((x.grad, layer.attn.out_proj.weight.grad))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        block.attn.in_proj_weight.grad, plain.attn.in_proj.weight.grad, rtol=1e-4, atol=1e-5
    )


def test_a_mask_for_each_head_is_taken_as_the_stock_module_takes_it():
    torch.manual_seed(4)
    stock = nn.MultiheadAttention(16, 4, batch_first=True).eval().requires_grad_(False)
    x, mask = torch.randn(2, 5, 16), torch.randn(8, 5, 5)
    expected = stock(x, x, x, need_weights=False, attn_mask=mask)[0]
    torch.testing.assert_close(PlainAttention(stock)(x, mask), expected, rtol=0, atol=1e-5)


def test_all_matrices_of_a_clip_are_listed_under_the_names_of_the_adapter_format(loaded):
    targets = list_targets(loaded.model)
    assert len(targets) == MATRICES
    assert sum(min(target.block(loaded.weight(target)).shape) for target in targets) == TRAINED_NUMBERS
    assert targets[0].name == "visual.transformer.resblocks.0.attn.in_proj.q"
    text = "text.transformer" if hasattr(loaded.model, "text") else "transformer"
    assert targets[-1].name == f"{text}.resblocks.1.mlp.c_proj"


def test_a_clip_folder_is_tokenized_as_open_clip_does_it(loaded):
    ids = loaded.tokenize(["a chest film", "a much longer sentence about a chest film"])
    assert ids.shape == (2, 10)
    assert torch.equal(nn.functional.pad(ids, (0, 67)), tokens())
    assert loaded.tokenize(["film " * 200]).shape == (1, 77)


def test_texts_of_true_length_give_what_full_length_gives(loaded):
    short = loaded.tokenize(["a chest film", "a much longer sentence about a chest film"])
    one, other = embed_texts(loaded.model, short), embed_texts(loaded.model, tokens())
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "text",
    [{"no_causal_mask": True}, {"pool_type": "last"}, {"vocab_size": 32000}, {"hf_tokenizer_name": "t5"}],
)
def test_a_text_tower_of_another_make_is_refused(tmp_path, text):
    folder = write_tiny_clip(tmp_path / "clip")
    stored = json.loads((folder / "open_clip_config.json").read_text())
    stored["model_cfg"]["text_cfg"] |= text
    (folder / "open_clip_config.json").write_text(json.dumps(stored))
    with pytest.raises(UserError, match="text encoder"):
        load_backbone(folder)


def test_a_clip_is_adapted_and_folded_like_any_other_backbone(loaded, draw_disc):
    import numpy as np

    generator, labels = np.random.default_rng(1), tuple(place % 2 for place in range(12))
    pictures = [draw_disc(label, generator) for label in labels]
    plain = torch.stack([model_square(picture, SIZE) for picture in pictures])
    examples = Examples(
        torch.stack([model_square(picture, 38) for picture in pictures]),
        plain,
        embed_squares(loaded.model, loaded, plain, lambda *_: None),
        labels,
        tuple(f"patient {place // 2}" for place in range(12)),
    )
    basis = load_basis(loaded, lambda *_: None)
    classes = (class_from_name("bright disc"), class_from_name("dark disc"))
    learner = Learner(loaded, basis, classes, Recipe(steps=12, batch_size=8, flip=False))
    result = fit(learner, examples, FitTask("a fit", 0.05, 12, 0), lambda _: None)
    assert result.curve[-1].loss < result.curve[0].loss
    assert result.a.abs().min() > 0
    attachment = attach(loaded.model, basis, {"image": 1, "text": 1})
    with torch.no_grad():
        attachment.state.a.copy_(result.a)
    attachment.refresh()
    folded = fold(loaded.model, basis, attachment.state.sigmas())
    with torch.no_grad():
        for embed, inputs in ((embed_images, IMAGES), (embed_texts, tokens())):
            torch.testing.assert_close(
                embed(folded, inputs), embed(attachment.model, inputs), rtol=0, atol=1e-4
            )
    assert folded.state_dict().keys() == loaded.model.state_dict().keys()
