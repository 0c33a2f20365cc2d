"""Probes: eight numbers by which a receiver checks that its own decomposition gives the same W'.

An SVD is unique only up to sign, and up to rotation among equal singular values. The same sigma in another
basis would silently give another matrix; R W' r reveals it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.adapter_file.generator import probe_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from clipsvd_app.adapter_file.content import AdapterContent
    from clipsvd_app.engine.backbone.architectures import Target
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.basis import Basis
    from clipsvd_app.engine.sigma.trained import Vector


def compute_probes(
    backbone: Backbone, basis: Basis, sigmas: Mapping[str, Vector]
) -> dict[str, NDArray[np.float32]]:
    """Return R W' r (8,) fp32 of every target, summed in fp64."""
    return {target.name: _probe(target, backbone, basis, sigmas[target.name]) for target in basis.targets}


def worst_probe(content: AdapterContent, backbone: Backbone, basis: Basis) -> tuple[str, float]:
    """Return the matrix whose probe differs most, and by what share of the norm of its sigma."""
    sigmas = {spectrum.name: spectrum.sigma for spectrum in content.spectra}
    ours = compute_probes(backbone, basis, sigmas)
    return max(
        (
            (spectrum.name, _relative_difference(ours[spectrum.name], spectrum.probe, spectrum.sigma))
            for spectrum in content.spectra
        ),
        key=lambda entry: entry[1],
    )


def _probe(target: Target, backbone: Backbone, basis: Basis, sigma: Vector) -> NDArray[np.float32]:
    matrix = basis.matrices[target.name]
    weight = target.block(backbone.weight(target)).detach().cpu().double().numpy()
    left, right = probe_vectors(target.name, *weight.shape)
    delta = sigma.astype(np.float64) - matrix.s0.double().numpy()
    change = matrix.u.double().numpy() @ (delta * (matrix.vt.double().numpy() @ right))
    return np.asarray(left @ (weight @ right + change), dtype=np.float32)


def _relative_difference(ours: Vector, theirs: Vector, sigma: Vector) -> float:
    # The norm of sigma is the Frobenius norm of W'; 1e-30 stands in for it where all values are zero.
    size = max(float(np.linalg.norm(sigma.astype(np.float64))), 1e-30)
    return float(np.abs(ours.astype(np.float64) - theirs).max()) / size
