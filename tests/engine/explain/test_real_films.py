"""Maps of real chest films, where they lie beside the checkout (CLIPSVD_TEST_DATA, or ../shared/data)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.small_clip import moved_sigmas, no_report

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.words.case import case_statements
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.data.images import model_square, normalise
from clipsvd_app.engine.explain.case import explain_case
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.resources import resource_path

DATA = Path(os.environ.get("CLIPSVD_TEST_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
FILMS = sorted((DATA / "cxr_nih_256" / "Pneumonia").glob("*.jpg"))[:4]

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FILMS, reason="the chest films are not beside the checkout"),
]


def test_a_map_that_is_not_the_classs_own_is_said_to_be_unspecific() -> None:
    backbone = load_backbone(resource_path("backbones", "demo"))
    basis = load_basis(backbone, no_report)
    classes = (
        ClassSpec("pneumonia", ("patchy white opacity in the lung",)),
        ClassSpec("clear", ("clear dark lungs",)),
    )
    adapted = AdaptedModel(backbone, basis, moved_sigmas(basis, 0.01), classes)
    for place, film in enumerate(FILMS):
        with Image.open(film) as opened:
            picture = np.asarray(opened.convert("RGB"))
        pixels = model_square(picture, backbone.preprocessing.size)[None]
        found = explain_case(adapted, normalise(pixels, backbone.preprocessing)[0], place, no_report)
        own = found.map_specificity
        assert own is not None
        assert own.prompts == 19
        told = case_statements(found)[-1].text
        if not found.map_passed:
            assert "failed its deletion test" in told
        elif not own.is_specific:
            assert "not specific" in told
        else:
            assert "depends most" in told
