"""What a widget writes when it paints: every run of text with its place, as the paint engine is given it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize
from PySide6.QtGui import QPaintDevice, QPaintEngine, QRegion
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QTextItem

METRICS = QPaintDevice.PaintDeviceMetric
CONSTANT = {metric: 96 for metric in METRICS if "Dpi" in metric.name}
CONSTANT[METRICS.PdmDevicePixelRatioScaled] = int(QPaintDevice.devicePixelRatioFScale())


@dataclass(frozen=True, slots=True)
class Written:
    """One run of text and the area that it covers, in the widget's own pixels."""

    text: str
    area: QRectF


class _Engine(QPaintEngine):
    def __init__(self) -> None:
        super().__init__(QPaintEngine.PaintEngineFeature.AllFeatures)
        self.written: list[Written] = []

    def begin(self, _device: QPaintDevice) -> bool:
        return True

    def end(self) -> bool:
        return True

    def type(self) -> QPaintEngine.Type:
        return QPaintEngine.Type.User

    def drawTextItem(self, at: QPointF, item: QTextItem) -> None:
        high, low = item.ascent(), item.descent()
        area = QRectF(at.x(), at.y() - high, item.width(), high + low)
        self.written.append(Written(item.text(), self.painter().transform().mapRect(area)))

    def _nothing(self, *_what: object) -> None:
        pass


_Engine.updateState = _Engine._nothing
for _shape in ("Pixmap", "Image", "Path", "Polygon", "Rects", "Lines", "Ellipse", "Points", "TiledPixmap"):
    setattr(_Engine, f"draw{_shape}", _Engine._nothing)


class _Paper(QPaintDevice):
    """Takes what is painted and keeps the texts."""

    def __init__(self, size: QSize) -> None:
        super().__init__()
        self._size = size
        self.engine = _Engine()

    def paintEngine(self) -> QPaintEngine:
        return self.engine

    def metric(self, metric: QPaintDevice.PaintDeviceMetric) -> int:
        if metric == METRICS.PdmWidth:
            return self._size.width()
        return self._size.height() if metric == METRICS.PdmHeight else CONSTANT.get(metric, 1)


def texts_of(widget: QWidget) -> list[Written]:
    """Return what a widget itself writes, without its children."""
    paper = _Paper(widget.size())
    QWidget.render(widget, paper, QPoint(), QRegion(), QWidget.RenderFlag.IgnoreMask)
    return [written for written in paper.engine.written if written.text.strip()]
