from __future__ import annotations

import hashlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.changing import replace
from support.made_adapter import with_document, write_made_adapter
from support.small_clip import CLASSES, moved_sigmas, no_report, noise_images, small_backbone, small_basis

from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.engine.sigma.adapter import prove
from clipsvd_app.engine.sigma.hot_swap import HotSwap
from clipsvd_app.engine.sigma.warm import WarmBackbone
from clipsvd_app.errors import UserError

IMAGES = noise_images(2)


@pytest.fixture(scope="module")
def backbone():
    return small_backbone()


@pytest.fixture(scope="module")
def basis(backbone):
    return small_basis(backbone)


@pytest.fixture(scope="module")
def adapters(tmp_path_factory, backbone, basis):
    """Three adapters; the last changes a single matrix."""
    room = tmp_path_factory.mktemp("adapters")
    one = basis.sigma_base()
    one[basis.targets[3].name] *= 1.05
    moves = (moved_sigmas(basis, 0.1, 1), moved_sigmas(basis, 0.2, 2), one)
    return [
        write_made_adapter(room / f"{number}.sigma.safetensors", backbone, basis, move, CLASSES)
        for number, move in enumerate(moves)
    ]


@pytest.fixture(scope="module")
def fresh(adapters, backbone, basis):
    """The logits of each adapter applied for the first time."""
    with torch.no_grad():
        return [prove(content, backbone, basis).adapted.logits(IMAGES) for content in adapters]


def fingerprint(backbone) -> str:
    digest = hashlib.sha256()
    for name, tensor in backbone.model.state_dict().items():
        digest.update(f"{name} {tensor.data_ptr()} {tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


@settings(max_examples=25)
@given(steps=st.lists(st.sampled_from([0, 1, 2, None]), min_size=1, max_size=8))
def test_any_sequence_of_apply_swap_and_remove_leaves_the_base_bit_for_bit(
    steps, adapters, fresh, backbone, basis
):
    before, swap = fingerprint(backbone), HotSwap(backbone, basis)
    for step in steps:
        if step is None:
            swap.remove()
            assert swap.model is backbone.model
        else:
            with torch.no_grad():
                assert torch.equal(swap.apply(adapters[step]).adapted.logits(IMAGES), fresh[step])
    assert fingerprint(backbone) == before
    swap.remove()
    assert fingerprint(backbone) == before


def test_the_same_adapter_again_needs_no_new_folding(adapters, backbone, basis):
    swap = HotSwap(backbone, basis)
    first = swap.apply(adapters[0])
    assert swap.apply(adapters[0]) is first
    assert swap.apply(adapters[1]) is not first
    assert swap.applied is not first


def test_an_adapter_that_does_not_fit_leaves_the_last_one_on(adapters, backbone, basis):
    swap = HotSwap(backbone, basis)
    applied = swap.apply(adapters[0])
    canaries = adapters[1].document.canaries
    wrong = replace(canaries.items[0], logits=tuple(value + 1 for value in canaries.items[0].logits))
    with pytest.raises(UserError, match="synthetic image differ"):
        swap.apply(with_document(adapters[1], canaries=replace(canaries, items=(wrong,))))
    assert swap.applied is applied


def test_a_warm_backbone_keeps_the_last_adapter_between_jobs(adapters, backbone, basis):
    warm = WarmBackbone(backbone, FeatureStore(backbone), basis)
    assert warm.adapter(adapters[0], no_report) is warm.adapter(adapters[0], no_report)


def test_a_warm_backbone_refuses_a_foreign_adapter_before_decomposing(adapters, backbone):
    def never(*_):
        raise AssertionError("nothing is to be computed")

    base = replace(adapters[0].document.base, sha256="f" * 64)
    warm = WarmBackbone(backbone, FeatureStore(backbone))
    with pytest.raises(UserError, match="belongs to"):
        warm.adapter(with_document(adapters[0], base=base), never)
