"""One adapted matrix, and the table of one tower."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from torch import nn

from clipsvd_app.domain.towers import Tower

if TYPE_CHECKING:
    from torch import Tensor

MatrixKind = Literal["q", "k", "v", "o", "fc1", "fc2"]


@dataclass(frozen=True, slots=True)
class Target:
    """One adapted matrix: ``rows`` of the weight of ``module_path``, or all of it.

    ``name`` is its name in adapter files; ``layer`` counts from 0 within its tower.
    """

    name: str
    tower: Tower
    layer: int
    kind: MatrixKind
    module_path: str
    rows: slice | None = None

    def block(self, weight: Tensor) -> Tensor:
        """Return this target's rows of its module's weight, as a view."""
        return weight if self.rows is None else weight[self.rows]


@dataclass(frozen=True, slots=True)
class TowerTable:
    """A tower's path in an open_clip model, its exact class, and the function that lists its matrices.

    ``blocks`` is the path of the transformer blocks, ``stem`` that of the module which turns images into
    patches, ``patch_drop`` of the one between stem and blocks that may leave patches out. ``tokens`` counts
    the tokens of one input; for text, the maximum.
    """

    name: str
    path: str
    class_name: str
    blocks: str
    stem: str | None
    targets: Callable[[nn.Module], Iterator[Target]]
    tokens: Callable[[nn.Module], int]
    patch_drop: str | None = None


def layer_paths(model: nn.Module, path: str) -> Iterator[tuple[int, str]]:
    """Yield number and path of each transformer block."""
    for layer, _ in enumerate(model.get_submodule(path).children()):
        yield layer, f"{path}.{layer}"


def fused_thirds(model: nn.Module, path: str, tower: Tower, layer: int) -> Iterator[Target]:
    """Yield q, k and v of a matrix that holds them as blocks of rows, head-major inside each."""
    width = _rows(model, path) // 3
    parts: tuple[MatrixKind, ...] = ("q", "k", "v")
    for index, part in enumerate(parts):
        rows = slice(index * width, (index + 1) * width)
        yield Target(f"{path}.{part}", tower, layer, part, path, rows)


def plain_matrices(
    table: tuple[tuple[str, MatrixKind], ...], path: str, tower: Tower, layer: int
) -> Iterator[Target]:
    """Yield the matrices of one layer that are modules of their own."""
    for suffix, kind in table:
        yield Target(f"{path}.{suffix}", tower, layer, kind, f"{path}.{suffix}")


def _rows(model: nn.Module, path: str) -> int:
    """Return the rows of a matrix; 0 where there is none, which ``list_targets`` refuses."""
    try:
        return len(cast("Tensor", model.get_submodule(path).weight))
    except AttributeError:
        return 0
