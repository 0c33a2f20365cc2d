"""The decomposition by the Gram matrix is as good as LAPACK's, or gives way to it."""

from __future__ import annotations

import numpy as np
import pytest

from clipsvd_app.engine.sigma import decomposition
from clipsvd_app.engine.sigma.decomposition import by_gram, singular_values

EXACT = 1e-12


def drawn(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def with_values(values: np.ndarray, rows: int, seed: int = 0) -> np.ndarray:
    """Return a matrix (rows, values) with these singular values."""
    u, _ = np.linalg.qr(drawn((rows, len(values)), seed))
    v, _ = np.linalg.qr(drawn((len(values), len(values)), seed + 1))
    return (u * values) @ v.T


MATRICES = {
    "square": drawn((60, 60)),
    "tall": drawn((90, 30), 1),
    "wide": drawn((30, 90), 2),
    "one column": drawn((40, 1), 3),
    "rank deficient": drawn((60, 45), 4) @ drawn((45, 60), 5),
    "a column of zeros": drawn((50, 20), 6) * (np.arange(20) != 7),
    "all values equal": np.linalg.qr(drawn((40, 40), 7))[0] * 3,
    "values in pairs": with_values(np.repeat(np.linspace(1, 5, 20), 2), 60),
    "equal small values": with_values(np.repeat([1.0, 0.5, 1e-4, 1e-9], [20, 10, 5, 5]), 50),
    "values down to nothing": with_values(np.logspace(0, -20, 40), 60),
    "a few very small values": with_values(np.r_[np.linspace(0.1, 1, 50), np.logspace(-3, -14, 12)], 70),
    "one value far above": with_values(np.r_[1e4, np.linspace(1, 2, 30)], 40),
    "at the border": with_values(np.r_[1.0, np.full(30, 1e-2), np.full(9, 0.5), np.full(30, 0.9)], 90),
    "tiny": drawn((40, 40), 8) * 1e-200,
    "huge": drawn((40, 40), 9) * 1e200,
    "subnormal": drawn((8, 8), 10) * 1e-310,
    "zeros": np.zeros((12, 7)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_it_is_a_decomposition(name: str) -> None:
    matrix = MATRICES[name]
    u, s, vt = singular_values(matrix)
    rank = min(matrix.shape)
    assert (u.shape, s.shape, vt.shape) == ((len(matrix), rank), (rank,), (rank, matrix.shape[1]))
    assert (np.diff(s) <= 0).all()
    assert (s >= 0).all()
    np.testing.assert_allclose(u.T @ u, np.eye(rank), atol=decomposition.ORTHOGONAL)
    np.testing.assert_allclose(vt @ vt.T, np.eye(rank), atol=decomposition.ORTHOGONAL)
    size = float(np.abs(matrix).max()) or 1.0
    # Subnormal numbers have few digits of their own.
    exact = EXACT if size > 1e-300 else 1e-10
    np.testing.assert_allclose((u * s) @ vt / size, matrix / size, atol=exact * rank)
    known = np.linalg.svd(matrix, compute_uv=False)
    np.testing.assert_allclose(s / size, known / size, atol=exact * max(1, known[0] / size))


@pytest.mark.parametrize("name", [name for name in MATRICES if name not in {"subnormal", "zeros"}])
def test_moved_values_give_the_matrix_that_lapacks_vectors_give(name: str) -> None:
    """Where values are equal the vectors are free, so they are moved alike: s to s (1 + s / s_1)."""
    matrix = MATRICES[name] / np.abs(MATRICES[name]).max()
    changed = []
    for u, s, vt in (singular_values(matrix), np.linalg.svd(matrix, full_matrices=False)):
        changed.append((u * (s * (1 + s / s[0]))) @ vt)
    np.testing.assert_allclose(*changed, atol=EXACT * np.abs(changed[1]).max())


@pytest.mark.parametrize("shape", [(48, 48), (96, 32)])
@pytest.mark.parametrize("seed", range(4))
def test_vectors_of_distinct_values_are_lapacks(shape: tuple[int, int], seed: int) -> None:
    matrix = drawn(shape, seed)
    found = by_gram(matrix)
    assert found is not None
    u, s, vt = found
    u_known, s_known, vt_known = np.linalg.svd(matrix, full_matrices=False)
    signs = np.sign((u * u_known).sum(axis=0))
    # Once stored in fp32 they are the same within one rounding.
    np.testing.assert_allclose(u * signs, u_known, atol=1e-9)
    np.testing.assert_allclose(vt * signs[:, None], vt_known, atol=1e-9)
    np.testing.assert_allclose(s, s_known, rtol=1e-12)


@pytest.mark.parametrize("name", ["zeros", "values down to nothing", "one value far above"])
def test_what_the_gram_matrix_cannot_tell_is_left_to_lapack(name: str) -> None:
    assert by_gram(MATRICES[name]) is None


@pytest.mark.parametrize("error", [1e-9, 1e-6])
def test_vectors_that_are_a_little_off_are_noticed(monkeypatch: pytest.MonkeyPatch, error: float) -> None:
    matrix = drawn((40, 40), 11)
    eigh = np.linalg.eigh

    def bent(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = eigh(gram)
        return values, vectors + error * drawn(vectors.shape)

    monkeypatch.setattr(np.linalg, "eigh", bent)
    assert by_gram(matrix) is None
    u, s, vt = singular_values(matrix)
    for ours, known in zip((u, s, vt), np.linalg.svd(matrix, full_matrices=False), strict=True):
        assert np.array_equal(ours, known)


def test_no_convergence_is_left_to_lapack(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: np.ndarray) -> None:
        raise np.linalg.LinAlgError

    monkeypatch.setattr(np.linalg, "eigh", fails)
    assert by_gram(drawn((10, 10))) is None


def test_a_matrix_with_nan_is_refused_as_before() -> None:
    matrix = drawn((10, 10))
    matrix[3, 3] = np.nan
    with pytest.raises(np.linalg.LinAlgError):
        singular_values(matrix)
