"""A singular value decomposition in fp64 by way of the Gram matrix, checked, with LAPACK's own behind it.

A^T A = V diag(s^2) V^T costs a third of an SVD, then A V = U diag(s). What it loses is known: the computed
U^T U misses I by about eps s_1^2 / (s_i s_j), eps = 1e-16, so that only vectors of small values suffer. Those
below a hundredth of s_1 are decomposed again by themselves, apart from the rest, and the whole is checked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Factors = tuple[Matrix, Matrix, Matrix]

# Of s_1. Above it the errors stay below eps * 1e4 = 1e-12 in U and eps * 1e2 = 1e-14 in A.
_SMALL = 1e-2
# fp32, in which the factors are stored, rounds by 6e-8: a thousandth of that changes nothing that is kept.
ORTHOGONAL = 6e-11
"""How far U^T U and V^T V may be from I, entry by entry, before LAPACK's own decomposition is taken."""
# gesdd's own error is 1e-15 to 1e-14. Vectors whose values differ by d s_1 turn by about this error / d.
BACKWARD = 1e-13
"""How far U diag(s) V^T may be from A, as a share of s_1."""

_PROBES = 8


def singular_values(matrix: Matrix) -> Factors:
    """Return U (rows, rank), s (rank,) descending and V^T (rank, columns) of a matrix (rows, columns)."""
    if matrix.shape[0] < matrix.shape[1]:
        u, s, vt = _tall(matrix.T)
        return vt.T, s, u.T
    return _tall(matrix)


def by_gram(matrix: Matrix) -> Factors | None:
    """Decompose a tall matrix by its Gram matrix; None where the result would be worse than LAPACK's."""
    largest = float(np.abs(matrix).max(initial=0))
    if not 0 < largest < np.inf:
        return None
    # By a power of two, which rounds nothing: the squares of tiny or huge entries would leave fp64.
    unit = 2.0 ** np.clip(np.frexp(largest)[1], -1000, 1000)
    scaled = matrix / unit
    try:
        found = _by_gram(scaled)
    except np.linalg.LinAlgError:
        return None
    if found is None or not is_accurate(scaled, *found):
        return None
    u, s, vt = found
    return u, s * unit, vt


def is_accurate(matrix: Matrix, u: Matrix, s: Matrix, vt: Matrix) -> bool:
    """Whether U and V are orthogonal and rebuild a tall matrix, far beyond what fp32 can tell."""
    missing, across = _from_identity(u.T @ u), _from_identity(vt @ vt.T)
    if not (missing.max() <= ORTHOGONAL and across.max() <= ORTHOGONAL):
        return False
    # With U made orthogonal, what it missed becomes an error of the matrix.
    if (missing * s).max() > BACKWARD * s[0]:
        return False
    # Along random directions rather than whole, which would cost as much as A V: an error hides from one
    # direction by chance, not from eight. They are of length 1 in the mean.
    width = matrix.shape[1]
    probes = np.random.default_rng(0).standard_normal((width, _PROBES)) / np.sqrt(width)
    errors = np.linalg.norm(u @ (s[:, None] * (vt @ probes)) - matrix @ probes, axis=0)
    return bool(errors.max() <= BACKWARD * s[0])


def _from_identity(product: Matrix) -> Matrix:
    """Return |P - I| of a square matrix, in its place."""
    product.flat[:: len(product) + 1] -= 1
    return np.abs(product, out=product)


def _tall(matrix: Matrix) -> Factors:
    found = by_gram(matrix)
    if found is not None:
        return found
    # LAPACK is more than twice as fast on tall matrices; unlike SciPy, NumPy lets other threads run.
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    return u, s, vt


def _by_gram(matrix: Matrix) -> Factors | None:
    _, vectors = np.linalg.eigh(matrix.T @ matrix)
    v = vectors[:, ::-1]
    scaled_u = matrix @ v
    # Rather than roots of the eigenvalues, which have half of the digits where they are small.
    s = np.linalg.norm(scaled_u, axis=0)
    large = int((s > _SMALL * s[0]).sum())
    # Most are small: then LAPACK has nearly everything to do anyway.
    if large < len(s) / 2:
        return None
    u = scaled_u[:, :large] / s[:large]
    if large < len(s):
        rest = scaled_u[:, large:]
        # Twice: once leaves what rounding puts back, which for values near zero is all that there is.
        for _ in range(2):
            rest = rest - u @ (u.T @ rest)
        u_rest, s_rest, turn = np.linalg.svd(rest, full_matrices=False)
        u = np.hstack([u, u_rest])
        s = np.concatenate([s[:large], s_rest])
        v = np.hstack([v[:, :large], v[:, large:] @ turn.T])
    order = np.argsort(-s, kind="stable")
    return u[:, order], s[order], v.T[order]
