"""A case's margin as steps from the base model to what is shown, and whether its parts may be shown at all.

Small parts become one named sum of computed values; what the path leaves over is a step of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clipsvd_app.domain.towers import Tower
from clipsvd_app.domain.words.phrases import part_title

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from clipsvd_app.domain.results.explanation import (
        Attribution,
        CaseExplanation,
        Control,
        ControlCode,
        ScorePart,
    )

Detail = Literal["side", "layer", "head", "terms"]
StepKind = Literal["base", "part", "sum", "residual", "total"]
LARGEST_RESIDUAL = 1e-3
HEAD_CONTROLS: tuple[ControlCode, ...] = ("heads_above_chance", "head_controls")
"""Without these two no head is described, however well its own phrases do."""
_TOWERS: tuple[Tower, ...] = ("image", "text")
_MOST = 12


@dataclass(frozen=True, slots=True)
class Step:
    """One bar: it leads from ``start`` to ``end``; ``parts`` counts the terms in it."""

    name: str
    kind: StepKind
    start: float
    end: float
    tower: Tower | None = None
    parts: int = 1

    @property
    def value(self) -> float:
        """What the step adds; for the first and the last bar the margin itself."""
        return self.end - self.start


def adds_up(found: Attribution) -> bool:
    """Tell whether the parts of the change sum to it closely enough to be told."""
    return max(abs(found.residual), abs(found.margin_residual)) <= LARGEST_RESIDUAL


def heads_are_told(controls: Iterable[Control]) -> bool:
    """Tell whether a run's controls allow to put heads into words."""
    passed = {control.code for control in controls if control.passed}
    return passed.issuperset(HEAD_CONTROLS)


def change_steps(found: Attribution, detail: Detail, most: int = _MOST) -> tuple[Step, ...]:
    """Return the way of the margin from the unadapted model to the adapted one."""
    groups = _grouped(found.parts, detail)
    steps = [Step("Before adaptation", "base", 0.0, found.zero_shot_margin)]
    for name, kind, tower, parts in _largest(groups, most):
        steps.append(_after(steps, name, kind, sum(part.margin for part in parts), tower, len(parts)))
    steps.append(_after(steps, "Residual of the path", "residual", found.margin_residual))
    return (*steps, Step("After adaptation", "total", 0.0, found.adapted_margin))


def term_steps(case: CaseExplanation, most: int = _MOST) -> tuple[Step, ...]:
    """Return the margin as the sum of the image tower's own terms, without regard to training."""
    steps: list[Step] = []
    for name, kind, tower, parts in _largest(_grouped(case.decomposition, "terms"), most):
        steps.append(_after(steps, name, kind, sum(part.margin for part in parts), tower, len(parts)))
    steps.append(_after(steps, "Rounding", "residual", case.margin_residual))
    return (*steps, Step("Margin", "total", 0.0, case.margin))


_Group = tuple[str, "Tower | None", list["ScorePart"]]


def _grouped(parts: Iterable[ScorePart], detail: Detail) -> list[_Group]:
    """Return (name, tower, parts), towers and layers in order."""
    groups: dict[Hashable, _Group] = {}
    for part in parts:
        key, name = _place(part, detail)
        groups.setdefault(key, (name, part.tower, []))[2].append(part)
    return list(groups.values())


def _place(part: ScorePart, detail: Detail) -> tuple[Hashable, str]:
    if part.tower is None:
        return part.kind, part_title(part)
    tower = f"{part.tower.capitalize()} encoder"
    if detail == "side":
        return part.tower, tower
    if detail == "terms" and part.layer is None:
        return part.kind, part_title(part)
    layer = f"{part.tower.capitalize()} layer {(part.layer or 0) + 1}"
    if detail == "layer":
        return (part.tower, part.layer), layer
    if part.head is not None:
        return (part.tower, part.layer, part.head), f"{layer}, head {part.head + 1}"
    if part.kind in ("fc1", "fc2", "mlp"):
        return (part.tower, part.layer, "mlp"), f"{layer}, MLP"
    return (part.tower, part.layer, "rest"), f"{layer}, attention"


def _largest(
    groups: Sequence[_Group], most: int
) -> Iterable[tuple[str, StepKind, Tower | None, Sequence[ScorePart]]]:
    """Yield the largest groups in their order, and after each tower's the sum of its smaller ones.

    What belongs to no tower, the class head, is always named, and last.
    """
    of_towers = (group for group in groups if group[1] is not None)
    ranked = sorted(of_towers, key=lambda group: -abs(sum(part.margin for part in group[2])))
    kept = {name for name, _, _ in ranked[:most]}
    for tower in _TOWERS:
        own = [group for group in groups if group[1] == tower]
        yield from ((name, "part", tower, parts) for name, _, parts in own if name in kept)
        small = [group for group in own if group[0] not in kept]
        if small:
            parts = [part for _, _, group in small for part in group]
            yield f"{len(small)} smaller contributions, {tower} encoder", "sum", tower, parts
    yield from ((name, "part", None, parts) for name, tower, parts in groups if tower is None)


def _after(
    steps: Sequence[Step],
    name: str,
    kind: StepKind,
    value: float,
    tower: Tower | None = None,
    parts: int = 1,
) -> Step:
    start = steps[-1].end if steps else 0.0
    return Step(name, kind, start, start + value, tower, parts)
