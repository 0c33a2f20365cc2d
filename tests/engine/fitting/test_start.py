"""Training from a probe begins at the probe's answers; plain CLIP-SVD begins at the class texts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.changing import replace
from torch.nn import functional

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.data.images import normalise
from clipsvd_app.engine.fitting import adapt as adapt_module
from clipsvd_app.engine.fitting.adapt import adapt, adapted_model, class_texts
from clipsvd_app.engine.fitting.choice import Choice
from clipsvd_app.engine.fitting.fit import accumulate
from clipsvd_app.engine.fitting.forward import WholeForward
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.start import START, probe_head
from clipsvd_app.engine.fitting.upper_forward import UpperForward
from clipsvd_app.engine.statistics.calibration import fit_temperature

WHOLE = Recipe(steps=3, batch_size=8, flip=False)
UPPER = replace(WHOLE, trained_share=1 / 3, views=2)
FORMS = pytest.mark.parametrize(("recipe", "form"), [(WHOLE, WholeForward), (UPPER, UpperForward)])


@pytest.fixture
def learner(backbone, basis, disc_classes):
    return Learner(backbone, basis, disc_classes, WHOLE, dtype=torch.float32)


@pytest.fixture
def examples(disc_examples):
    """Twelve images, each twice."""
    return disc_examples.subset([*range(12)] * 2)


def ignore(*_) -> None:
    """Take progress and drop it."""


def probe_probabilities(learner, examples):
    """The probe by another optimiser: cross-entropy on top of the scaled zero-shot logits, and a ridge."""
    features, texts = (torch.from_numpy(rows).double() for rows in (examples.features, class_texts(learner)))
    truth = torch.tensor(examples.labels)
    zero_shot = learner.backbone.logit_scale * features @ texts.T
    temperature = fit_temperature(zero_shot.softmax(dim=1).numpy(), truth.numpy())
    centred = features - features.mean(dim=0)
    rows = centred / centred.square().sum(dim=1).mean().sqrt()
    vectors = torch.zeros_like(texts, requires_grad=True)
    bias = torch.zeros(len(texts), dtype=torch.float64, requires_grad=True)

    def logits():
        return min(1.0, 1 / temperature) * zero_shot + rows @ vectors.T + bias

    optimiser = torch.optim.LBFGS(
        [vectors, bias], max_iter=500, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def cost():
        optimiser.zero_grad()
        # As many images of each class, so that every weight is 1.
        loss = functional.cross_entropy(logits(), truth, reduction="sum") + vectors.square().sum() / 6
        loss.backward()
        return loss

    optimiser.step(cost)
    return logits().softmax(dim=1).detach().numpy()


def head_of(learner, examples):
    return probe_head(examples, class_texts(learner), learner.backbone.logit_scale)


def test_where_no_change_is_kept_the_adapted_model_gives_the_answers_of_the_probe(
    learner, examples, monkeypatch
):
    monkeypatch.setattr(adapt_module, "choose", lambda *_: Choice("probe", 0.0, 1.0))
    told = []
    trained = adapt(learner, examples, 0, lambda stage, done, total, metrics=None: told.append(metrics))
    assert (trained.start, trained.share, trained.head.start) == ("probe", 0.0, START)
    assert all(np.array_equal(sigma, trained.sigma_base[name]) for name, sigma in trained.sigmas.items())
    assert not any(told), "there is nothing to train"
    pixels = normalise(examples.plain, learner.backbone.preprocessing)
    found = adapted_model(learner, trained).probabilities(pixels).numpy()
    np.testing.assert_allclose(found, probe_probabilities(learner, examples), atol=1e-4)


@FORMS
def test_training_from_a_probe_begins_at_its_answers(learner, examples, recipe, form):
    forward = form(replace(learner, recipe=recipe))
    forward.attachment.refresh()
    logits = forward.plain_logits(examples.plain, head_of(learner, examples))
    found = logits.softmax(dim=-1).numpy()
    np.testing.assert_allclose(found, probe_probabilities(learner, examples), atol=1e-4)


@FORMS
def test_a_head_is_no_part_of_what_is_trained_and_moves_the_gradient(learner, examples, recipe, form):
    forward = form(replace(learner, recipe=recipe))
    inputs = forward.inputs(examples, range(4), 0, 0)
    head = head_of(learner, examples)
    before = head.offsets.copy(), head.bias.copy()
    found = []
    for given in (None, head):
        forward.attachment.state.a.grad = None
        accumulate(forward, inputs, torch.tensor(examples.labels[:4]), 1, given)
        found.append(forward.attachment.state.a.grad.clone())
    assert not torch.allclose(*found)
    np.testing.assert_array_equal(head.offsets, before[0])
    np.testing.assert_array_equal(head.bias, before[1])


def test_words_count_as_far_as_they_are_right_and_misleading_ones_hardly(examples):
    features = np.eye(2, 8, dtype=np.float32)[list(examples.labels)]
    told = replace(examples, features=features)
    texts = np.eye(2, 8, dtype=np.float32)
    found = []
    for words in (texts, texts[::-1].copy()):
        head = probe_head(told, words, 10.0)
        logits = 10.0 * features @ (words + head.offsets).T + head.bias
        assert (logits.argmax(axis=1) == told.labels).all(), "the images have the last word"
        found.append(np.linalg.norm(words + head.offsets - (words + head.offsets).mean(axis=0)))
    assert found[0] > 1.5 * found[1]


def test_plain_clip_svd_has_no_head_starts_from_the_texts_and_keeps_everything(learner, examples):
    plain = replace(learner, recipe=replace(WHOLE, plain=True))
    stages = []
    trained = adapt(plain, examples, 0, lambda stage, *_: stages.append(stage))
    assert trained.head is None
    assert (trained.start, trained.share, trained.temperature, trained.choice_folds) == ("text", 1, 1, 0)
    assert stages == ["Training"] * WHOLE.steps, "nothing is chosen"
    assert trained.notes == ()
