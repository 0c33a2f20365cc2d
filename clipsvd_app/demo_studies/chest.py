"""A whole chest film from a patient and an exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.demo_studies.body.anatomy import Anatomy, draw_anatomy
from clipsvd_app.demo_studies.body.geometry import make_frame
from clipsvd_app.demo_studies.body.lungs import interstitium, make_lungs
from clipsvd_app.demo_studies.body.mediastinum import central_vessels_and_airways, silhouette
from clipsvd_app.demo_studies.body.skeleton import bones
from clipsvd_app.demo_studies.body.trunk import abdomen_gas, breasts, soft_tissue
from clipsvd_app.demo_studies.body.vessels import hila, lung_vessels
from clipsvd_app.demo_studies.distractors import distractors
from clipsvd_app.demo_studies.exposure import Exposure, draw_exposure
from clipsvd_app.demo_studies.film import expose, fractal
from clipsvd_app.demo_studies.findings import Disease, draw_disease
from clipsvd_app.demo_studies.margin import annotate

if TYPE_CHECKING:
    import numpy.typing as npt

    from clipsvd_app.demo_studies.body.geometry import Field, Frame


@dataclass(frozen=True, slots=True)
class Patient:
    """What every film of one patient shares."""

    anatomy: Anatomy
    disease: Disease


def draw_patient(rng: np.random.Generator, finding: str | None) -> Patient:
    """Choose a patient with one finding, or with none of the three."""
    disease = draw_disease(rng, finding)
    return Patient(draw_anatomy(rng, disease), disease)


def render_chest(rng: np.random.Generator, finding: str | None, size: int) -> npt.NDArray[np.float32]:
    """Draw one chest film of a new patient: (size, size), 0 to 1, dense tissue bright.

    ``finding`` is one of ``FINDINGS`` or ``None`` for a chest with none of them; other names are refused.
    """
    return render_film(draw_patient(rng, finding), draw_exposure(rng), size)


def render_film(patient: Patient, exposure: Exposure, size: int) -> npt.NDArray[np.float32]:
    """Draw one film of a patient: (size, size), 0 to 1, dense tissue bright."""
    frame = make_frame(exposure.pose, size)
    rng = np.random.default_rng(exposure.texture_seed)
    density = chest_attenuation(frame, patient, exposure)
    density += distractors(frame, exposure, rng)
    return annotate(expose(density, exposure, rng), exposure)


def chest_attenuation(frame: Frame, patient: Patient, exposure: Exposure) -> Field:
    """Return the line integral through the chest at every pixel, about 1 through heart and spine."""
    anatomy, disease = patient.anatomy, patient.disease
    rng = np.random.default_rng(anatomy.texture_seed)
    lungs = make_lungs(frame, anatomy, disease)
    heart = silhouette(frame, anatomy)
    seen = np.sqrt(lungs.aerated)
    soft = soft_tissue(frame, anatomy)
    total = soft * (1.0 + np.float32(0.012) * fractal(frame.size, 1.3, rng)) + breasts(frame, anatomy)
    total -= lungs.loss * (1.0 - heart)
    markings = lung_vessels(frame, anatomy, rng) + interstitium(frame, rng)
    total += (markings * (1.0 - np.float32(0.6) * heart) + hila(frame, anatomy)) * seen
    total += central_vessels_and_airways(frame, anatomy) - abdomen_gas(frame, anatomy, rng)
    total += bones(frame, anatomy, exposure.yaw, rng) * np.minimum(soft * 4.0, 1.0)
    return np.maximum(total, 0.0)
