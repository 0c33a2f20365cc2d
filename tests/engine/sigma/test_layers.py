"""The adapted layers: equal to the stock model where they should be, and trained where they should be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.tiny_backbone import IMAGE_SIZE
from torch import nn

from clipsvd_app.engine.backbone.backbone import embed_images, embed_texts
from clipsvd_app.engine.sigma.basis import Basis, MatrixBasis
from clipsvd_app.engine.sigma.layers import SigmaLinear, attach, fold

FACTORED, MATERIALISED = {"image": 1, "text": 1}, {"image": 10**6, "text": 10**6}
FORMS = pytest.mark.parametrize("tokens", [FACTORED, MATERIALISED], ids=["factored", "materialised"])


def images(count: int = 3) -> torch.Tensor:
    return torch.randn((count, 3, IMAGE_SIZE, IMAGE_SIZE), generator=torch.Generator().manual_seed(0))


def embeddings(model, backbone) -> torch.Tensor:
    tokens = backbone.tokenize(["a bright disc", "a dark disc in the scan"])
    with torch.no_grad():
        return torch.cat([embed_images(model, images()), embed_texts(model, tokens)])


def moved(basis: Basis, scale: float = 0.05) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        name: (s0 + scale * np.abs(generator.normal(size=s0.shape))).astype(np.float32)
        for name, s0 in basis.sigma_base().items()
    }


def set_sigmas(attachment, sigmas):
    state = attachment.state
    wanted = torch.cat([torch.from_numpy(sigmas[name]) for name in state.names])
    with torch.no_grad():
        state.a.copy_((wanted - state.s0) / state.rms)
    attachment.refresh()


@FORMS
def test_the_unadapted_model_equals_the_stock_model(backbone, basis, tokens):
    attachment = attach(backbone.model, basis, tokens)
    attachment.refresh()
    found, stock = embeddings(attachment.model, backbone), embeddings(backbone.model, backbone)
    torch.testing.assert_close(found, stock, rtol=0, atol=1e-5)


@FORMS
def test_folded_equals_trained(backbone, basis, tokens):
    sigmas = moved(basis)
    attachment = attach(backbone.model, basis, tokens)
    set_sigmas(attachment, sigmas)
    folded = fold(backbone.model, basis, sigmas)
    found, trained = embeddings(folded, backbone), embeddings(attachment.model, backbone)
    torch.testing.assert_close(found, trained, rtol=0, atol=1e-5)
    assert (trained - embeddings(backbone.model, backbone)).abs().max() > 1e-3


def test_folding_unchanged_values_keeps_the_tensors_of_the_base(backbone, basis):
    folded = fold(backbone.model, basis, basis.sigma_base())
    base = dict(backbone.model.named_parameters())
    assert all(weight is base[name] for name, weight in folded.named_parameters())


@FORMS
def test_the_base_stays_bit_for_bit_after_attaching_training_and_folding(backbone, basis, tokens):
    before = {name: tensor.clone() for name, tensor in backbone.model.state_dict().items()}
    modules = {name: type(module) for name, module in backbone.model.named_modules()}
    attachment = attach(backbone.model, basis, tokens)
    attachment.refresh()
    optimiser = torch.optim.SGD([attachment.state.a], lr=0.1)
    embed_images(attachment.model, images()).sum().backward()
    optimiser.step()
    fold(backbone.model, basis, moved(basis))
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.model.state_dict().items())
    assert {name: type(module) for name, module in backbone.model.named_modules()} == modules


@FORMS
def test_every_matrix_of_both_towers_gets_gradient_and_nothing_else(backbone, basis, tokens):
    attachment = attach(backbone.model, basis, tokens)
    attachment.refresh()
    text = backbone.tokenize(["a bright disc", "a dark disc"])
    scores = embed_images(attachment.model, images()) @ embed_texts(attachment.model, text).T
    scores[:, 0].sum().backward()
    gradient = attachment.state.a.grad
    assert gradient is not None
    for part, name in zip(
        torch.split(gradient, list(attachment.state.sizes)), attachment.state.names, strict=True
    ):
        assert part.abs().max() > 0, name
    assert all(weight.grad is None for weight in attachment.model.parameters())
    assert all(weight.grad is None for weight in backbone.model.parameters())


@pytest.mark.parametrize("materialised", [False, True])
@pytest.mark.parametrize("shape", [(6, 6), (10, 4), (4, 10)])
def test_the_gradient_of_sigma_is_that_of_the_full_matrix(shape, materialised):
    generator = torch.Generator().manual_seed(3)
    linear = nn.Linear(shape[1], shape[0]).double()
    with torch.no_grad():
        linear.weight.copy_(torch.randn(shape, generator=generator, dtype=torch.float64))
    u, s0, vt = torch.linalg.svd(linear.weight.detach(), full_matrices=False)
    layer = SigmaLinear(linear, [MatrixBasis(u, s0, vt)], torch.float64, materialised=materialised)
    layer.sigma = (s0 + 0.1).requires_grad_()
    x = torch.randn((5, shape[1]), generator=generator, dtype=torch.float64)
    layer(x).square().sum().backward()

    full = ((u * layer.sigma.detach()) @ vt).requires_grad_()
    nn.functional.linear(x, full, linear.bias).square().sum().backward()
    expected = (u.T @ full.grad @ vt.T).diagonal()
    torch.testing.assert_close(layer.sigma.grad, expected, rtol=1e-10, atol=1e-10)


def test_singular_values_never_become_negative(backbone, basis):
    state = attach(backbone.model, basis, FACTORED).state
    with torch.no_grad():
        state.a.fill_(-1e3)
    assert all((sigma == 0).all() for sigma in state.sigmas().values())


def test_square_matrices_are_materialised_only_under_many_tokens(backbone, basis):
    layers = attach(backbone.model, basis, {"image": 10**6, "text": 1}).layers
    chosen = {layer.materialised for layer in layers if layer.in_features == layer.out_features == 64}
    assert chosen == {True}
    assert not any(layer.materialised for layer in attach(backbone.model, basis, FACTORED).layers)
