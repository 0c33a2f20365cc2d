"""What is shown of each kind of pixel is what the standard's formulas give by hand, to one grey level."""

from __future__ import annotations

import numpy as np
import pytest
from support.dicom_variants import Variant, variants

from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.reading import read_frame

VARIANTS = variants()
LOSSLESS = ("implicit", "big_endian", "deflated", "rle", "jpeg_ls", "jpeg_2000")


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_is_shown_as_by_hand(tmp_path, variant: Variant):
    shown = to_display(read_frame(variant.write(tmp_path), variant.frame))
    assert shown.shape == variant.greys.shape
    assert np.abs(shown.astype(float) - variant.greys).max() <= 1


def test_the_set_tells_right_from_wrong():
    names = [variant.name for variant in VARIANTS]
    assert len(set(names)) == len(names) >= 30
    assert all(np.ptp(variant.greys) > 100 for variant in VARIANTS)


def test_lossless_syntaxes_of_one_picture_give_one_hash(tmp_path):
    chosen = [variant for variant in VARIANTS if variant.name in LOSSLESS]
    facts = [image_facts(variant.write(tmp_path)) for variant in chosen]
    assert len({fact.transfer_syntax for fact in facts}) == len(LOSSLESS)
    assert len({fact.sha256 for fact in facts}) == 1
