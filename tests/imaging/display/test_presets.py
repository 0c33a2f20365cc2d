"""Facts about the windows that are offered."""

from __future__ import annotations

import numpy as np
import pytest

from clipsvd_app.domain.view import Percentiles, Window
from clipsvd_app.imaging.display.windows import (
    CT_PRESETS,
    IDENTITY_8_BIT,
    is_usable,
    presets_of,
    volume_presets,
    window_from,
)

OWN = Window(300.0, 600.0)


def test_ct_presets_are_named_after_tissues_and_keep_their_keys():
    names = [name for name, _window in presets_of("CT", OWN, (OWN, Window(1, 2)), "HU")]
    assert names[:9] == [name for name, _window in CT_PRESETS]
    assert {"Brain", "Subdural", "Bone", "Lung", "Mediastinum", "Liver", "Soft tissue"} <= set(names[:9])
    assert names[-1] == "As stored 2"


@pytest.mark.parametrize("modality", ["MR", "CR", "DX", "MG", "US", "PT", "NM", "OT", ""])
def test_every_modality_offers_the_full_range_and_windows_that_follow_the_pixels(modality):
    found = dict(presets_of(modality, OWN))
    assert found["Full range"] == Percentiles(0.0, 100.0)
    assert sum(isinstance(window, Percentiles) for window in found.values()) >= 3
    assert all(is_usable(window) for window in found.values() if isinstance(window, Window))


def test_films_offer_half_and_twice_the_window_of_the_file():
    found = dict(presets_of("DX", OWN))
    assert (found["Narrow"], found["Wide"]) == (Window(300.0, 300.0), Window(300.0, 1200.0))
    assert dict(presets_of("DX", Window(1.0, 1.0)))["Narrow"] == Window(1.0, 1.0)


def test_uptake_is_shown_from_zero_and_as_suv_where_the_file_says_so():
    assert "SUV 0 to 5" not in dict(presets_of("PT", OWN, units="BQML"))
    assert dict(presets_of("PT", OWN, units="GML"))["SUV 0 to 5"] == Window(2.5, 5.0, "LINEAR_EXACT")
    pixels = np.array([[3.0, 4.0], [8.0, 10.0]], np.float32)
    assert window_from(pixels, None, dict(presets_of("NM", OWN))["From zero"]) == Window(
        5.0, 10.0, "LINEAR_EXACT"
    )


def test_ultrasound_goes_back_to_all_its_greys():
    assert dict(presets_of("US", OWN))["All 256 greys"] == IDENTITY_8_BIT
    assert "All 256 greys" not in dict(presets_of("US", IDENTITY_8_BIT))


def test_a_volume_without_a_modality_is_offered_the_windows_of_ct_too():
    assert dict(volume_presets(OWN))["CT lung"] == dict(CT_PRESETS)["Lung"]


def test_a_window_from_pixels_leaves_padding_out_and_is_the_same_every_time():
    pixels = np.concatenate([np.full(500, -2000.0), np.linspace(0, 1000, 1001)]).astype(np.float32)
    found = window_from(pixels, -2000.0, Percentiles(0.0, 100.0))
    assert (found.centre, found.width) == (500.0, 1000.0)
    assert found == window_from(pixels.copy(), -2000.0, Percentiles(0.0, 100.0))
