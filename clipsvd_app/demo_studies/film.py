"""From attenuation to a film: scatter, quantum noise, and the processing of a digital detector."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from clipsvd_app.demo_studies.exposure import Exposure
    from clipsvd_app.demo_studies.geometry import Field


def expose(attenuation: Field, exposure: Exposure, rng: np.random.Generator) -> Field:
    """Return the film, 0 to 1 with dense tissue bright.

    Noise grows with attenuation because fewer quanta arrive; processing compresses large structures and
    lifts small ones, as detectors for chest films do.
    """
    size = attenuation.shape[0]
    quanta = rng.standard_normal(attenuation.shape, dtype=np.float32)
    grain = blur(quanta, 0.55 * max(size / 512, 0.35), "wrap") * np.float32(1.9)
    noisy = attenuation + np.float32(exposure.noise) * grain * np.exp(np.float32(0.75) * attenuation - 0.55)
    wide = blur(noisy, 0.20 * size)
    near = blur(noisy, 0.012 * size)
    flat = noisy - np.float32(0.30) * (wide - wide.mean())
    crisp = flat + np.float32(0.45 * exposure.sharpening) * (noisy - near)
    return tone(crisp, exposure)


def tone(density: Field, exposure: Exposure) -> Field:
    """Apply the detector's S-shaped response."""
    steep = np.float32(4.6 * exposure.contrast)
    middle = np.float32(0.62 - exposure.exposure)
    low, high = 1 / (1 + np.exp(steep * middle)), 1 / (1 + np.exp(-steep * (1.45 - middle)))
    response = 1.0 / (1.0 + np.exp(-steep * (density - middle)))
    return np.clip((response - low) / (high - low), 0.0, 1.0).astype(np.float32)


def fractal(size: int, slope: float, rng: np.random.Generator) -> Field:
    """Return zero-mean noise (size, size) of unit spread whose amplitude falls as frequency^-slope."""
    white = rng.standard_normal((size, size), dtype=np.float32)
    shaped = fft.irfft2(fft.rfft2(white) * _falloff(size, slope), s=(size, size))
    return (shaped / shaped.std()).astype(np.float32)


def blur(field: Field, sigma: float, mode: str = "reflect") -> Field:
    """Smooth with a Gaussian of ``sigma`` pixels; the margin is mirrored unless the field may wrap."""
    size = field.shape[0]
    margin = 0 if mode == "wrap" else min(size // 2, int(3 * sigma) + 1)
    padded = np.pad(field, margin, mode="symmetric") if margin else field
    full = padded.shape[0]
    smooth = fft.irfft2(fft.rfft2(padded) * _gaussian(full, sigma), s=padded.shape)
    return np.ascontiguousarray(smooth[margin : margin + size, margin : margin + size], dtype=np.float32)


@lru_cache(maxsize=16)
def _gaussian(size: int, sigma: float) -> Field:
    squared = fft.fftfreq(size)[:, None] ** 2 + fft.rfftfreq(size)[None, :] ** 2
    return np.exp(-2 * np.pi**2 * sigma**2 * squared).astype(np.float32)


@lru_cache(maxsize=16)
def _falloff(size: int, slope: float) -> Field:
    frequency = np.hypot(fft.fftfreq(size)[:, None], fft.rfftfreq(size)[None, :])
    frequency[0, 0] = 1.0
    gain = frequency**-slope
    gain[0, 0] = 0.0
    return gain.astype(np.float32)
