"""From attenuation to a film: scatter, quantum noise, and the processing of a digital detector."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter, uniform_filter

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.body.geometry import Field
    from clipsvd_app.demo_studies.exposure import Exposure


def expose(attenuation: Field, exposure: Exposure, rng: np.random.Generator) -> Field:
    """Return the film, 0 to 1 with dense tissue bright.

    Noise grows with attenuation because fewer quanta arrive; processing compresses large structures and
    lifts small ones, as detectors for chest films do.
    """
    size = attenuation.shape[0]
    quanta = rng.standard_normal(attenuation.shape, dtype=np.float32)
    grain = gaussian_filter(quanta, 0.55 * max(size / 512, 0.35), truncate=3.0) * np.float32(1.9)
    noisy = attenuation + np.float32(exposure.noise) * grain * np.exp(np.float32(0.75) * attenuation - 0.55)
    wide = smooth(noisy, 0.45)
    near = smooth(noisy, 0.03)
    flat = noisy - np.float32(0.30) * (wide - wide.mean())
    crisp = flat + np.float32(0.45 * exposure.sharpening) * (noisy - near)
    return tone(crisp, exposure)


def tone(density: Field, exposure: Exposure) -> Field:
    """Apply the detector's S-shaped response."""
    steep = np.float32(4.6 * exposure.contrast)
    middle = np.float32(0.62 - exposure.exposure)
    low, high = 1 / (1 + np.exp(steep * middle)), 1 / (1 + np.exp(-steep * (1.45 - middle)))
    response = 1.0 / (1.0 + np.exp(-steep * (density - middle)))
    film: Field = np.clip((response - low) / (high - low), 0.0, 1.0).astype(np.float32)
    return film


def fractal(size: int, slope: float, rng: np.random.Generator) -> Field:
    """Return zero-mean noise (size, size) of unit spread whose amplitude falls as frequency^-slope."""
    white = rng.standard_normal((size, size), dtype=np.float32)
    shaped = fft.irfft2(fft.rfft2(white) * _falloff(size, slope), s=(size, size))
    noise: Field = (shaped / shaped.std()).astype(np.float32)
    return noise


def smooth(field: Field, share: float) -> Field:
    """Smooth with two running means over ``share`` of the film, mirrored at the margin."""
    width = max(int(share * field.shape[0]), 1)
    blurred: Field = uniform_filter(uniform_filter(field, width, mode="reflect"), width, mode="reflect")
    return blurred


@lru_cache(maxsize=16)
def _falloff(size: int, slope: float) -> Field:
    frequency = np.hypot(fft.fftfreq(size)[:, None], fft.rfftfreq(size)[None, :])
    frequency[0, 0] = 1.0
    gain = frequency**-slope
    gain[0, 0] = 0.0
    falloff: Field = gain.astype(np.float32)
    return falloff
