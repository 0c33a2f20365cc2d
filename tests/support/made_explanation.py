"""An explanation of a run and of a case with small made numbers that truly add up."""

from __future__ import annotations

from msgspec.structs import replace

from clipsvd_app.domain.results.contributions import HEAD_CONTROLS
from clipsvd_app.domain.results.explanation import (
    Attribution,
    CaseExplanation,
    CaseMap,
    ClassChange,
    ClassPhrase,
    ClassReading,
    Control,
    DeletionCurve,
    DirectionChange,
    HeadChange,
    HeadReading,
    MapSpecificity,
    MatrixChange,
    Phrase,
    RunExplanation,
    ScorePart,
)

NAMES = ("normal", "lesion")
WORDS = (Phrase("sharp margin", 0.3, "margin"), Phrase("round", 0.2, "shape"))
READING = HeadReading(WORDS, 0.3, 0.1)
SILENT = HeadReading((), 0.05, 0.1)
HEADS = (
    *tuple(
        HeadChange("image", layer, head, 0.01 * (1 + layer + head), SILENT, READING if head == 0 else SILENT)
        for layer in range(2)
        for head in range(2)
    ),
    HeadChange("text", 0, 0, 0.05),
)
MATRICES = (
    MatrixChange("image.1.o", "image", 1, "o", 0.01),
    MatrixChange("image.0.v", "image", 0, "v", 0.02),
    MatrixChange("text.0.fc2", "text", 0, "fc2", 0.003),
)
DIRECTIONS = (
    DirectionChange("image.1.o", "image", 1, 4, 2.0, 2.4, 0.5, WORDS, (), (1, 2), (3,), 0.25),
    DirectionChange("image.0.v", "image", 0, 1, 1.0, 0.9, 0.9, (), (), (2,), (1,)),
    DirectionChange("text.0.fc2", "text", 0, 7, 3.0, 3.1, 0.1, (), ()),
)
CLASSES = (
    ClassChange(0, 9, 8, ClassReading(0.02, 0.05, 0, 0, 1.0), ClassReading(0.3, 0.1, 10, 4, 0.8)),
    ClassChange(
        1,
        7,
        6,
        ClassReading(0.08, 0.05, 10, 0, 0.01),
        ClassReading(0.3, 0.1, 10, 0, 0.01),
        (
            ClassPhrase("a spiky edge", "margin", 0.02, 0.3),
            ClassPhrase("a dark mass", "density", 0.08, 0.2),
            ClassPhrase("a wide shadow", "sign", 0.06, 0.04),
        ),
    ),
)
RUN = RunExplanation(
    MATRICES,
    DIRECTIONS,
    heads=HEADS,
    images=64,
    phrases=227,
    controls=tuple(Control(code, True, 1.0, 2.0) for code in HEAD_CONTROLS),
    classes=CLASSES,
)
PLAIN_RUN = RunExplanation(MATRICES, DIRECTIONS)
"""Explained without heads, classes or controls."""
SHARES = (0.0, 0.5, 1.0)


def untold() -> RunExplanation:
    """A run whose controls failed, with nothing put into words."""
    failed = (RUN.controls[0], replace(RUN.controls[1], passed=False))
    silent = tuple(replace(direction, positive=(), negative=()) for direction in DIRECTIONS)
    return replace(RUN, controls=failed, directions=silent, classes=CLASSES[:1])


def parts(kinds, scale: float = 0.1) -> tuple[ScorePart, ...]:
    """One part a (kind, tower, layer, head), of growing size and changing sign."""
    return tuple(
        ScorePart(
            scale * place,
            (-1) ** place * scale * (1 + place),
            kind,
            tower,
            layer,
            head,
        )
        for place, (kind, tower, layer, head) in enumerate(kinds)
    )


def attribution(miss: float = 0.0) -> Attribution:
    """A change in both towers whose parts miss it by ``miss``."""
    found = parts(
        [
            (kind, tower, layer, None)
            for tower in ("image", "text")
            for layer in range(4)
            for kind in ("q", "k", "fc1")
        ]
        + [
            ("v", tower, layer, head)
            for tower in ("image", "text")
            for layer in range(4)
            for head in range(2)
        ]
    )
    total, margin = sum(part.value for part in found), sum(part.margin for part in found)
    return Attribution(1.0, 1.0 + total + miss, found, miss, -0.5, -0.5 + margin + miss, miss, 4)


def case_map(kind="heads", *, passed: bool = True) -> CaseMap:
    """A map whose deletion curve says whether it passed."""
    low, middle, high = (DeletionCurve(SHARES, (2.0, area, 0.0), area) for area in (0.2, 1.0, 1.1))
    curve = low if passed else high
    return CaseMap(kind, ((0.0, 1.0), (0.2, -0.1)), passed, curve, (middle,) * 10, middle)


def made_case(image_id: int = 8, *maps: CaseMap) -> CaseExplanation:
    """An explained case; its decomposition sums to its margin."""
    terms = parts(
        [("embedding", "image", None, None), ("shift", "image", None, None)]
        + [("mlp", "image", layer, None) for layer in range(3)]
        + [("head", "image", layer, head) for layer in range(3) for head in range(2)]
    )
    change = attribution()
    shown = maps or (case_map(), case_map("gradient", passed=False))
    return CaseExplanation(
        image_id,
        NAMES,
        (0.3, 0.7),
        (0.6, 0.4),
        WORDS,
        0.7,
        shown[0].grid,
        shown[0].passed,
        winner=1,
        runner_up=0,
        score=sum(term.value for term in terms),
        margin=sum(term.margin for term in terms),
        decomposition=terms,
        attribution=change,
        maps=shown,
        map_passed=shown[0].passed,
        map_specificity=MapSpecificity(0.9, 0.4, 19),
        controls=(Control("score_sum", True, 1e-6, 1e-3),),
        seconds=1.2,
    )
