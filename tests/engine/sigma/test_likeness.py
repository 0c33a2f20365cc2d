"""Which new images are unlike those that an adapter learnt from, by what its file carries."""

from __future__ import annotations

import numpy as np
import pytest

from clipsvd_app.corpus import MODALITIES
from clipsvd_app.engine.sigma.likeness import (
    FALSE_ALARMS,
    RECIPE_KEY,
    Likeness,
    kind_cosines,
    learn_likeness,
    likeness_of,
)

KINDS = list(MODALITIES)


def cosines(count: int, seed: int, kind: str = "radiography") -> np.ndarray:
    rows = np.random.default_rng(seed).normal(0.0, 0.05, (count, len(KINDS)))
    rows[:, KINDS.index(kind)] += 0.5
    return rows


def learnt(images: int = 120, patients: int = 60) -> Likeness:
    found = learn_likeness(cosines(images, 0), [str(n % patients) for n in range(images)])
    assert found is not None
    return found


def test_another_kind_is_told_and_one_image_in_twenty_of_the_same_kind_at_most():
    likeness = learnt()
    assert likeness.kind == "radiography"
    assert set(likeness.unlike(cosines(50, 1, "ultrasound"))) == {"ultrasound"}
    alarms = np.mean(
        [found is not None for seed in range(2, 12) for found in learnt(200, 100).unlike(cosines(200, seed))]
    )
    assert alarms <= FALSE_ALARMS + 0.02


def test_what_agrees_with_no_kind_is_unlike_too():
    flat = np.zeros((4, len(KINDS)))
    assert None not in learnt().unlike(flat)


def test_few_patients_teach_no_likeness_and_nineteen_the_promised_rate():
    assert learn_likeness(cosines(40, 0), [str(n % 7) for n in range(40)]) is None
    with_ten = learn_likeness(cosines(10, 0), [str(n) for n in range(10)])
    assert with_ten is not None
    assert with_ten.unlike(cosines(10, 0)) == [None] * 10  # as wide as the farthest of them


def test_an_image_repeated_many_times_weighs_as_its_one_patient():
    rows = cosines(31, 4)
    rows[30] = cosines(1, 5, "ct")
    one = learn_likeness(rows, [str(n) for n in range(31)])
    many = learn_likeness(
        np.concatenate([rows, np.repeat(rows[30:], 99, axis=0)]), [*(str(n) for n in range(31)), *["30"] * 99]
    )
    assert one is not None
    assert many is not None
    assert many.mean == pytest.approx(one.mean, abs=1e-6)
    assert many.kind == "radiography"


def test_the_numbers_come_back_from_a_recipe_as_they_went():
    likeness = learnt()
    value = likeness.recipe_value()
    assert len(value) == 21
    again = likeness_of({"preset": "quick", RECIPE_KEY: value})
    assert again is not None
    assert again.recipe_value() == value
    assert again.bound >= likeness.bound


@pytest.mark.parametrize("value", [None, 3.0, "x", (), (0.1,) * 20, (0.1,) * 22, (0.0,) * 21])
def test_a_recipe_that_carries_something_else_says_nothing(value):
    assert likeness_of({} if value is None else {RECIPE_KEY: value}) is None


def test_cosines_are_those_with_the_ten_sentences(backbone):
    found = kind_cosines(backbone, kind_features(backbone))
    assert found.shape == (3, len(KINDS))
    assert np.diag(found) == pytest.approx(1, abs=1e-5)


def kind_features(backbone) -> np.ndarray:
    import torch

    from clipsvd_app.engine.backbone.backbone import embed_texts

    with torch.no_grad():
        return embed_texts(backbone.model, backbone.tokenize(list(MODALITIES.values())[:3])).cpu().numpy()
