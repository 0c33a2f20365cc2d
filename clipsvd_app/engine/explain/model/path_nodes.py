"""The points of the path of adaptation: Patterson's nested quadrature nodes (Math. Comp. 22, 1968).

Three points, then seven, then fifteen, each set with all points of the one before, so that a finer level
computes only its new points. They are exact for polynomials up to degree 5, 11 and 23.
"""

from __future__ import annotations

import functools

import numpy as np

# The positive nodes on [-1, 1]; their mirror images and 0 are added below.
_FIRST = (0.7745966692414834,)
_SECOND = (*_FIRST, 0.9604912687080203, 0.4342437493468026)
_THIRD = (*_SECOND, 0.9938319632127550, 0.8884592328722570, 0.6211029467372264, 0.2233866864289669)
_HALVES = (_FIRST, _SECOND, _THIRD)
LEVELS = len(_HALVES)


@functools.cache
def path_nodes(level: int) -> tuple[tuple[float, float], ...]:
    """Return places from 0 to 1 with their weights, which sum to 1; ``level`` is from 0 to LEVELS - 1.

    A point that two levels share is the same number in both, so that it can be a key.
    """
    half = sorted(_HALVES[level])
    points = np.array([-point for point in reversed(half)] + [0.0, *half])
    moments = np.zeros(len(points))
    moments[0] = 1.0  # of the Legendre polynomials over [-1, 1] with density 1/2
    weights = np.linalg.solve(np.polynomial.legendre.legvander(points, len(points) - 1).T, moments)
    return tuple(
        (float((point + 1) / 2), float(weight)) for point, weight in zip(points, weights, strict=True)
    )
