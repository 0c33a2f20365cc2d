"""Loss and batch accuracy against the step, while a run trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from clipsvd_app.ui.kit.plots.plot_widget import (
    PlotWidget,
    Rows,
    Spot,
    hairline,
    line_height,
    sized,
    write,
)
from clipsvd_app.ui.kit.plots.ticks import round_ticks, tick_text
from clipsvd_app.ui.look.inks import mixed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.run import StepMetrics
    from clipsvd_app.ui.look.theme import Palette

_RIGHT = Qt.AlignmentFlag.AlignRight
_CENTRE = Qt.AlignmentFlag.AlignHCenter
_SMOOTHING = 0.85


@dataclass(frozen=True, slots=True)
class _Track:
    """One of the two curves with its own vertical axis; a step that was not finite has no value."""

    title: str
    values: tuple[float | None, ...]
    smooth: tuple[float | None, ...]
    top: float
    role: str
    as_percent: bool


class LiveCurves(PlotWidget):
    """Two stacked panels over one step axis; thin lines are single batches, thick ones their running mean."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: list[StepMetrics] = []
        self._total_steps = 0
        self.setAccessibleName("Loss and accuracy while training")
        self.setMinimumSize(280, 190)

    def sizeHint(self) -> QSize:
        return QSize(640, 380)

    def start(self, total_steps: int) -> None:
        """Empty the picture and set the length of the step axis."""
        self._points = []
        self._total_steps = total_steps
        self._describe()

    def add_point(self, point: StepMetrics) -> None:
        """Append one step; a step that does not come after the last one starts a new curve."""
        if self._points and point.step <= self._points[-1].step:
            self._points = []
        self._points.append(point)
        self._describe()

    def set_points(self, points: Iterable[StepMetrics]) -> None:
        """Show a finished curve."""
        self._points = list(points)
        self._total_steps = self._points[-1].step if self._points else 0
        self._describe()

    def data_rows(self) -> Rows:
        header = ("step", "loss", "batch_accuracy", "learning_rate")
        return (
            header,
            *((str(p.step), _cell(p.loss), _cell(p.accuracy), repr(p.learning_rate)) for p in self._points),
        )

    def draw(self, painter: QPainter, area: QRectF, palette: Palette) -> tuple[Spot, ...]:
        painter.setFont(sized(self.font(), 0.92))
        row = line_height(painter.font())
        frame = area.adjusted(row * 3.2, row * 0.2, -row * 0.8, -row * 2.4)
        if not self._points:
            message = "Curves appear after the first training step."
            write(painter, area, message, palette.color("text_faint"), _CENTRE)
            return ()
        half = frame.height() / 2
        spots: list[Spot] = []
        for position, track in enumerate(self._tracks()):
            panel = QRectF(frame.x(), frame.y() + position * half, frame.width(), half)
            plot = panel.adjusted(0, row * 1.5, 0, -row * 0.5)
            self._draw_track(painter, plot, track, palette)
            spots += self._spots_of(plot)
        self._draw_steps(painter, QRectF(frame.x(), frame.bottom(), frame.width(), row * 2.2), palette)
        return tuple(spots)

    def _tracks(self) -> tuple[_Track, _Track]:
        loss = tuple(point.loss for point in self._points)
        accuracy = tuple(point.accuracy for point in self._points)
        top = max((value for value in loss if value is not None), default=1.0) * 1.08 or 1.0
        return (
            _Track("Loss", loss, _running_mean(loss), top, "accent", as_percent=False),
            _Track("Accuracy on training batches", accuracy, _running_mean(accuracy), 1.0, "success", True),
        )

    def _last_step(self) -> int:
        newest = self._points[-1].step if self._points else 0
        return max(self._total_steps, newest, 1)

    def _draw_track(self, painter: QPainter, plot: QRectF, track: _Track, palette: Palette) -> None:
        row = line_height(painter.font())
        title = QRectF(plot.x(), plot.y() - row * 1.4, plot.width(), row)
        write(painter, title, track.title, palette.color("text"))
        if track.smooth and (last := track.smooth[-1]) is not None:
            now = _value_text(last, track)
            write(painter, title, f"now {now}", palette.color("text_muted"), _RIGHT)
        for tick in round_ticks(0.0, track.top, max(1, round(plot.height() / row / 3))):
            y = plot.bottom() - plot.height() * tick / track.top
            painter.setPen(hairline(palette.color("border")))
            painter.drawLine(QPointF(plot.x(), y), QPointF(plot.right(), y))
            label = QRectF(plot.x() - row * 3.4, y - row / 2, row * 3.0, row)
            write(painter, label, _tick_label(tick, track), palette.color("text_muted"), _RIGHT)
        self._draw_curve(painter, plot, track, palette)

    def _draw_curve(self, painter: QPainter, plot: QRectF, track: _Track, palette: Palette) -> None:
        colour = palette.color(track.role)
        thin = mixed(palette.color("panel"), colour, 0.45)
        for values, pen in ((track.values, QPen(thin, 1.0)), (track.smooth, _thick(colour))):
            painter.setPen(pen)
            for run in self._runs(values):
                painter.drawPolyline(
                    QPolygonF([self._place(plot, step, value / track.top) for step, value in run])
                )
        if track.smooth and (last := track.smooth[-1]) is not None:
            end = self._place(plot, self._points[-1].step, last / track.top)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(end, 3.5, 3.5)

    def _runs(self, values: tuple[float | None, ...]) -> list[list[tuple[int, float]]]:
        """Return the steps and values of a curve in runs, cut where a step has no value."""
        runs: list[list[tuple[int, float]]] = [[]]
        for point, value in zip(self._points, values, strict=True):
            if value is None:
                runs.append([])
            else:
                runs[-1].append((point.step, value))
        return [run for run in runs if run]

    def _place(self, plot: QRectF, step: int, share: float) -> QPointF:
        x = plot.x() + plot.width() * step / self._last_step()
        return QPointF(x, plot.bottom() - plot.height() * min(1.0, max(0.0, share)))

    def _draw_steps(self, painter: QPainter, strip: QRectF, palette: Palette) -> None:
        row = line_height(painter.font())
        for tick in round_ticks(0.0, float(self._last_step()), 6):
            if tick != int(tick):
                continue
            x = strip.x() + strip.width() * tick / self._last_step()
            label = QRectF(x - row * 2, strip.y(), row * 4, row)
            write(painter, label, tick_text(tick), palette.color("text_muted"), _CENTRE)
        name = QRectF(strip.x(), strip.y() + row * 1.1, strip.width(), row)
        write(painter, name, "Training step", palette.color("text_muted"), _CENTRE)

    def _spots_of(self, plot: QRectF) -> list[Spot]:
        width = max(2.0, plot.width() / self._last_step())
        return [
            Spot(
                QRectF(self._place(plot, p.step, 0).x() - width / 2, plot.y(), width, plot.height()),
                f"Step {p.step}: {_figures(p, 'batch accuracy', ' %')}",
            )
            for p in self._points
        ]

    def _describe(self) -> None:
        if not self._points:
            self.say("No training step yet.")
            return
        last = self._points[-1]
        self.say(
            f"Step {last.step} of {self._last_step()}: "
            f"{_figures(last, 'accuracy on the training batch', ' percent')}."
        )


def _figures(point: StepMetrics, accuracy: str, unit: str) -> str:
    if point.loss is None or point.accuracy is None:
        return "not finite; step skipped"
    return f"loss {point.loss:.3f}, {accuracy} {point.accuracy * 100:.0f}{unit}"


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)


def _running_mean(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
    """Exponential running mean of the values that there are, freed of the pull of its start."""
    result: list[float | None] = []
    total = weight = 0.0
    for value in values:
        if value is None:
            result.append(None)
            continue
        total = _SMOOTHING * total + value
        weight = _SMOOTHING * weight + 1
        result.append(total / weight)
    return tuple(result)


def _value_text(value: float, track: _Track) -> str:
    return f"{value * 100:.0f}\N{NO-BREAK SPACE}%" if track.as_percent else f"{value:.2f}"


def _tick_label(value: float, track: _Track) -> str:
    return f"{value * 100:.0f} %" if track.as_percent else tick_text(value)


def _thick(colour: QColor) -> QPen:
    return QPen(colour, 2.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
