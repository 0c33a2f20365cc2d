"""The figures of a report, drawn from a run's evaluation and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.services.report.drawing import (
    ACCENT,
    CLASS_COLOURS,
    GRID,
    INK,
    MUTED,
    WARNING,
    Anchor,
    Dot,
    Drawing,
    Label,
    Line,
    Rect,
    Shape,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.curves import RocPair
    from clipsvd_app.domain.results.evaluation import CoveragePoint, MethodScore, ReliabilityBin

# In points, y downwards: the width of a page's text, the side of a square plot, and where a legend beside it
# starts.
_WIDTH = 500.0
_SQUARE = 185.0
_BESIDE = 255.0
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def method_intervals(methods: Sequence[MethodScore], classes: int) -> Drawing:
    """Draw balanced accuracy with its interval, one row per method, and the accuracy of guessing."""
    left, right, row = 190.0, 400.0, 22.0
    bottom = 8 + row * len(methods)
    shapes: list[Shape] = []

    def across(share: float) -> float:
        return left + (right - left) * share

    for share in _SHARES:
        shapes.append(Line(((across(share), 4), (across(share), bottom)), GRID))
        shapes.append(Label(across(share), bottom + 12, f"{share * 100:.0f}", 8, "middle", MUTED))
    guess = 1 / classes
    shapes.append(Line(((across(guess), 4), (across(guess), bottom)), WARNING, dashed=True))
    shapes.append(Label(across(guess), bottom + 24, f"guessing {guess * 100:.0f} %", 8, "middle", WARNING))
    for number, score in enumerate(methods):
        y = 8 + row * (number + 0.5)
        ours = score.method == "clip_svd"
        colour = ACCENT if ours else MUTED
        low, high = across(score.interval.low), across(score.interval.high)
        value = (
            f"{score.balanced_accuracy * 100:.0f} % "
            f"({score.interval.low * 100:.0f}–{score.interval.high * 100:.0f})"
        )
        shapes += [
            Label(0, y + 3, METHOD_TITLES[score.method], 9, bold=ours),
            Line(((low, y), (high, y)), colour, 1.6),
            Line(((low, y - 3), (low, y + 3)), colour, 1.6),
            Line(((high, y - 3), (high, y + 3)), colour, 1.6),
            Dot(across(score.balanced_accuracy), y, 3.6, colour),
            Label(_WIDTH, y + 3, value, 9, "end", bold=ours),
        ]
    said = "; ".join(f"{METHOD_TITLES[s.method]} {s.balanced_accuracy * 100:.0f} %" for s in methods)
    return Drawing(_WIDTH, bottom + 30, tuple(shapes), f"Balanced accuracy: {said}")


def confusion(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Drawing:
    """Draw counts with row shares; rows are labels, columns predictions, which are numbered."""
    left, top = 130.0, 34.0
    side = min(64.0, (_WIDTH - left) / max(1, len(names)))
    height = min(side, 40.0)
    shapes: list[Shape] = [
        Label(left + side * len(names) / 2, 10, "Predicted", 8, "middle", MUTED),
        Label(0, top - 8, "Label", 8, "start", MUTED),
    ]
    for place, name in enumerate(names):
        number = str(place + 1)
        shapes.append(Label(left + side * (place + 0.5), top - 8, number, 9, "middle", bold=True))
        shapes.append(Label(0, top + height * (place + 0.5) + 3, f"{number}  {_short(name, 22)}", 9))
    for true, row in enumerate(counts):
        total = sum(row)
        for predicted, number_of in enumerate(row):
            share = number_of / total if total else 0.0
            x, y = left + side * predicted, top + height * true
            ink = "#ffffff" if share > 0.55 else INK
            shapes += [
                Rect(x + 1, y + 1, side - 2, height - 2, _tint(share)),
                Label(x + side / 2, y + height / 2 + 1, str(number_of), 10, "middle", ink, bold=True),
                Label(x + side / 2, y + height / 2 + 11, f"{share * 100:.0f} %", 7, "middle", ink),
            ]
    said = "; ".join(
        f"{names[t]} taken for {names[p]} {counted(n, 'time')}"
        for t, row in enumerate(counts)
        for p, n in enumerate(row)
        if n
    )
    return Drawing(left + side * len(names), top + height * len(names) + 4, tuple(shapes), said)


def roc(names: Sequence[str], pairs: Sequence[RocPair]) -> Drawing:
    """Draw one curve per class, adapted as a line and zero-shot dashed, with their areas."""
    shapes = _unit_axes("False alarms among the others, %", "Found, %")
    shapes.append(Line((_at(0, 0), _at(1, 1)), MUTED, 0.7, dashed=True))
    for row, pair in enumerate(pairs):
        position = pair.adapted.class_position
        colour = CLASS_COLOURS[position % len(CLASS_COLOURS)]
        for curve, dashed in ((pair.zero_shot, True), (pair.adapted, False)):
            points = tuple(_at(p.false_positive_rate, p.sensitivity) for p in curve.points)
            shapes.append(Line(points, colour, 0.8 if dashed else 1.6, dashed=dashed))
        y = 20 + 26 * row
        shapes += [
            Line(((_BESIDE, y - 3), (_BESIDE + 22, y - 3)), colour, 2),
            Label(_BESIDE + 28, y, _short(names[position], 30), 9, bold=True),
            Label(
                _BESIDE + 28,
                y + 11,
                f"{pair.adapted.area:.2f}; zero-shot (dashed) {pair.zero_shot.area:.2f}",
                8,
                colour=MUTED,
            ),
        ]
    said = "; ".join(f"{names[p.adapted.class_position]} {p.adapted.area:.2f}" for p in pairs)
    height = max(_SQUARE + 50, 20 + 26 * len(pairs))
    return Drawing(_WIDTH, height, tuple(shapes), f"Areas under the ROC curves: {said}")


def reliability(bins: Sequence[ReliabilityBin]) -> Drawing:
    """Draw the share of right answers against the stated probability, with a table of the bins beside it."""
    shapes = _unit_axes("Probability that the model states, %", "Right, %")
    shapes.append(Line((_at(0, 0), _at(1, 1)), MUTED, 0.7, dashed=True))
    heads: tuple[tuple[float, str, Anchor], ...] = (
        (0, "Stated", "start"),
        (82, "Images", "end"),
        (94, "Right (95 %)", "start"),
    )
    for x, title, anchor in heads:
        shapes.append(Label(_BESIDE + x, 20, title, 8, anchor, MUTED))
    for row, each in enumerate(bins):
        x, y = _at(each.confidence, each.accuracy)
        low, high = _at(0, each.interval.low)[1], _at(0, each.interval.high)[1]
        shapes += [Line(((x, low), (x, high)), ACCENT, 1.4), Dot(x, y, 3.4, ACCENT)]
        right = f"{each.accuracy * 100:.0f} % ({each.interval.low * 100:.0f}–{each.interval.high * 100:.0f})"
        line = 36 + 16 * row
        shapes += [
            Label(_BESIDE, line, f"{each.low * 100:.0f}–{each.high * 100:.0f} %", 9),
            Label(_BESIDE + 82, line, str(each.images), 9, "end"),
            Label(_BESIDE + 94, line, right, 9),
        ]
    said = "; ".join(f"stated {b.confidence * 100:.0f} %, right {b.accuracy * 100:.0f} %" for b in bins)
    return Drawing(_WIDTH, _SQUARE + 50, tuple(shapes), f"Reliability: {said}")


def risk(points: Sequence[CoveragePoint]) -> Drawing:
    """Draw the error among the most certain share of the images."""
    shapes = _unit_axes("Answered, the surest first, %", "Wrong among them, %")
    ranked = sorted(points, key=lambda point: point.coverage)
    shapes.append(Line(tuple(_at(p.coverage, p.risk) for p in ranked), ACCENT, 1.6))
    last = ranked[-1]
    said = f"{last.risk * 100:.0f} % of all answers are wrong"
    return Drawing(_SQUARE + 60, _SQUARE + 50, tuple(shapes), said)


def _unit_axes(x_title: str, y_title: str) -> list[Shape]:
    shapes: list[Shape] = []
    for share in _SHARES:
        shapes.append(Line((_at(share, 0), _at(share, 1)), GRID))
        shapes.append(Line((_at(0, share), _at(1, share)), GRID))
        shapes.append(Label(_at(share, 0)[0], _at(0, 0)[1] + 12, f"{share * 100:.0f}", 8, "middle", MUTED))
        shapes.append(Label(_at(0, 0)[0] - 5, _at(0, share)[1] + 3, f"{share * 100:.0f}", 8, "end", MUTED))
    shapes.append(Label(_at(0.5, 0)[0], _at(0, 0)[1] + 27, x_title, 8, "middle", MUTED))
    shapes.append(Label(10, _at(0, 0.5)[1], y_title, 8, "middle", MUTED, upright=True))
    return shapes


def _at(x: float, y: float) -> tuple[float, float]:
    return 42 + _SQUARE * x, 10 + _SQUARE * (1 - y)


def _tint(share: float) -> str:
    """Return a step from white to the accent."""
    keep = 0.06 + 0.8 * share
    channels = (int(ACCENT[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (channel - 255) * keep):02x}" for channel in channels)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
