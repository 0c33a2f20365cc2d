"""The blocks of a tower, cut: only the lower ones, or only the upper ones over stored activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from clipsvd_app.engine.backbone.architectures import architecture_of
from clipsvd_app.engine.sigma.layers import shadow

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.towers import Tower
    from clipsvd_app.engine.backbone.architectures.targets import TowerTable

TOWERS: tuple[Tower, ...] = ("image", "text")


class Pass(nn.Module):
    """Passes its input through and stores it: the end of a lower part."""

    seen: Tensor

    def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
        """Return (batch, tokens, width) unchanged."""
        self.seen = x
        return x


class Recall(nn.Module):
    """Returns ``activations`` (batch, tokens, width) whatever its input: the start of an upper part."""

    activations: Tensor

    def forward(self, *_: object, **__: object) -> Tensor:
        """Return the activations that were set last."""
        return self.activations


class PatchDrop(nn.Module):
    """Passes on the tokens in front of the patches, and of the patches those that ``choose`` drew.

    The same places for every image of a step: leaving out patches costs no accuracy in training, and half of
    them almost half of the time (Li et al. 2023, "Scaling Language-Image Pre-training via Masking", CVPR).
    """

    def __init__(self, prefix: int, patches: int, share: float) -> None:
        super().__init__()
        self.prefix, self.patches = prefix, patches
        self.count = max(1, round(patches * share))
        self.kept: Tensor | None = None

    def choose(self, generator: torch.Generator) -> None:
        """Draw the patches of the next step."""
        drawn = torch.randperm(self.patches, generator=generator)[: self.count].sort().values
        self.kept = torch.cat([torch.arange(self.prefix), self.prefix + drawn])

    def keep_all(self) -> None:
        """Leave nothing out, until the next draw."""
        self.kept = None

    def forward(self, x: Tensor) -> Tensor:
        """Map (images, tokens, width) to (images, kept tokens, width)."""
        return x if self.kept is None else x[:, self.kept.to(x.device)]


def put_patch_drop(model: nn.Module, share: float) -> PatchDrop | None:
    """Let the image tower, in place, pass on a share of its patches; None where it has no place for that."""
    table = table_of(model, "image")
    if table.patch_drop is None or share >= 1:
        return None
    # timm says how many tokens stand before the patches; open_clip's own tower has its class token only.
    prefix = int(getattr(model.get_submodule(table.path), "num_prefix_tokens", 1))
    drop = PatchDrop(prefix, table.tokens(model) - prefix, share)
    model.set_submodule(table.patch_drop, drop)
    return drop


def depth(model: nn.Module, tower: Tower) -> int:
    """Return how many blocks a tower has."""
    return len(_blocks(model, table_of(model, tower)))


def lower_part(model: nn.Module, first_upper: dict[Tower, int]) -> tuple[nn.Module, dict[Tower, Pass]]:
    """Return a shadow in which each tower ends before block ``first_upper``, and what stores its output.

    The layers after the blocks still run, on activations of the wrong depth; their output is not used.
    """
    cut, ends = shadow(model), {tower: Pass() for tower in TOWERS}
    for tower in TOWERS:
        table = table_of(model, tower)
        _put(cut, table, [*_blocks(cut, table)[: first_upper[tower]], ends[tower]])
    return cut, ends


def put_upper_part(model: nn.Module, first_upper: dict[Tower, int], image: Tensor) -> dict[Tower, Recall]:
    """Cut a model, in place, to the blocks from ``first_upper`` on, and return where to set their inputs.

    image: any model input (1, 3, size, size), for the form of the stem's output.
    """
    starts = {tower: Recall() for tower in TOWERS}
    for tower in TOWERS:
        table = table_of(model, tower)
        _put(model, table, [starts[tower], *_blocks(model, table)[first_upper[tower] :]])
        if table.stem is not None:
            _blank(model.get_submodule(table.stem), image)
    return starts


def table_of(model: nn.Module, tower: Tower) -> TowerTable:
    """Return the architecture table of one tower."""
    architecture = architecture_of(model)
    return architecture.image if tower == "image" else architecture.text


def replace_blocks(model: nn.Module, wrap: Callable[[nn.Module], nn.Module]) -> None:
    """Replace every block of both towers by ``wrap(block)``."""
    for tower in TOWERS:
        table = table_of(model, tower)
        _put(model, table, [wrap(block) for block in _blocks(model, table)])


def _blank(stem: nn.Module, image: Tensor) -> None:
    """Let a stem, in place, return zeros at no cost: its output is not used."""
    with torch.no_grad():
        zeros = torch.zeros_like(stem(image))
    # The module itself stays, because towers ask it for the form of its grid.
    stem.forward = lambda x: zeros.expand(len(x), *zeros.shape[1:])


def _blocks(model: nn.Module, table: TowerTable) -> list[nn.Module]:
    return list(model.get_submodule(table.blocks).children())


def _put(model: nn.Module, table: TowerTable, blocks: list[nn.Module]) -> None:
    before = model.get_submodule(table.blocks)
    # timm iterates over a Sequential by calling it, BERT and open_clip over a ModuleList: keep the container.
    new = nn.Sequential(*blocks) if isinstance(before, nn.Sequential) else nn.ModuleList(blocks)
    model.set_submodule(table.blocks, new.train(before.training))


def last_block(model: nn.Module, tower: Tower) -> nn.Module:
    """Return the last block of a tower."""
    return _blocks(model, table_of(model, tower))[-1]


def put_last_block(model: nn.Module, tower: Tower, block: nn.Module) -> None:
    """Replace the last block of a tower, in place."""
    table = table_of(model, tower)
    _put(model, table, [*_blocks(model, table)[:-1], block])


def first_trained(model: nn.Module, share: float) -> dict[Tower, int]:
    """Return the first trained block of each tower when the upper ``share`` of its blocks is trained."""
    counts = {tower: depth(model, tower) for tower in TOWERS}
    # At least one block: a share that rounds to none would train nothing.
    return {tower: count - max(1, round(count * share)) for tower, count in counts.items()}


def batch_first(model: nn.Module) -> bool:
    """Whether activations between blocks have the batch dimension first, as cutting needs."""
    towers = (model.get_submodule(table_of(model, name).blocks.rpartition(".")[0]) for name in TOWERS)
    return all(cast("bool", getattr(tower, "batch_first", True)) for tower in towers)
