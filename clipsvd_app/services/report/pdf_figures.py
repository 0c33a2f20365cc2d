"""Figures inside reportlab's pages: matplotlib draws onto its canvas, as vectors, with text that is text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.backend_bases import RendererBase
from matplotlib.path import Path
from reportlab.platypus import Flowable

from clipsvd_app.services.report.plots import drawing, size_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.backend_bases import GraphicsContextBase
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.pdfgen.pathobject import PDFPathObject

    from clipsvd_app.figures.figure import Figure

_POINTS_PER_INCH = 72
_CAPS = {"butt": 0, "round": 1, "projecting": 2}
_JOINS = {"miter": 0, "round": 1, "bevel": 2}


class DrawnFigure(Flowable):  # type: ignore[misc]
    """A figure of at most ``widest`` points; ``spell`` gives a text in the letters that ``font`` has."""

    def __init__(self, figure: Figure, widest: float, font: str, spell: Callable[[str], str]) -> None:
        super().__init__()
        self._figure, self._font, self._spell = figure, font, spell
        self._size = tuple(side * _POINTS_PER_INCH for side in size_in(figure))
        self._scale = min(1.0, widest / self._size[0])

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Return the size that the figure takes."""
        return self._size[0] * self._scale, self._size[1] * self._scale

    def draw(self) -> None:
        """Draw it with its lower left corner at the origin."""
        self.canv.scale(self._scale, self._scale)
        with drawing(self._figure) as drawn:
            drawn.set_dpi(_POINTS_PER_INCH)
            drawn.draw(_Renderer(self.canv, self._size, self._font, self._spell))


class _Renderer(RendererBase):
    """A unit is a point, and y counts upwards, as in PDF."""

    def __init__(
        self, canvas: Canvas, size: tuple[float, ...], font: str, spell: Callable[[str], str]
    ) -> None:
        super().__init__()
        self._canvas, self._size, self._font, self._spell = canvas, size, font, spell

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self._size[0], self._size[1]

    def flipy(self) -> bool:
        return False

    def draw_path(self, gc: GraphicsContextBase, path: Path, transform: Any, rgbFace: Any = None) -> None:  # noqa: ANN401, N803
        canvas = self._canvas
        canvas.saveState()
        self._clip(gc)
        stroked = gc.get_linewidth() > 0
        if stroked:
            self._set_line(gc)
        if rgbFace is not None:
            canvas.setFillColorRGB(*rgbFace[:3])
        canvas.drawPath(
            _traced(canvas.beginPath(), path, transform), stroke=stroked, fill=rgbFace is not None
        )
        canvas.restoreState()

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: Any,  # noqa: ANN401
        angle: float,
        ismath: Any = False,  # noqa: ANN401
        mtext: Any = None,  # noqa: ANN401
    ) -> None:
        canvas = self._canvas
        canvas.saveState()
        canvas.translate(x, y)
        canvas.rotate(angle)
        canvas.setFillColorRGB(*gc.get_rgb()[:3])
        canvas.setFont(self._font, prop.get_size_in_points())
        canvas.drawString(0, 0, self._spell(s))
        canvas.restoreState()

    def _clip(self, gc: GraphicsContextBase) -> None:
        box = gc.get_clip_rectangle()
        if box is not None:
            path = self._canvas.beginPath()
            path.rect(box.x0, box.y0, box.width, box.height)
            self._canvas.clipPath(path, stroke=0, fill=0)

    def _set_line(self, gc: GraphicsContextBase) -> None:
        canvas = self._canvas
        canvas.setLineWidth(gc.get_linewidth())
        canvas.setStrokeColorRGB(*gc.get_rgb()[:3])
        canvas.setLineCap(_CAPS[str(gc.get_capstyle())])
        canvas.setLineJoin(_JOINS[str(gc.get_joinstyle())])
        offset, dashes = gc.get_dashes()
        if dashes is not None:
            canvas.setDash(list(dashes), offset)  # type: ignore[arg-type]


def _traced(drawn: PDFPathObject, path: Path, transform: Any) -> PDFPathObject:  # noqa: ANN401
    x = y = 0.0
    for points, code in path.iter_segments(transform, remove_nans=True):
        match code:
            case Path.MOVETO:
                drawn.moveTo(*points)
            case Path.LINETO:
                drawn.lineTo(*points)
            case Path.CURVE3:  # PDF has cubic curves only
                (a, b), (c, d) = points[:2], points[2:]
                first = x + 2 / 3 * (a - x), y + 2 / 3 * (b - y)
                drawn.curveTo(*first, c + 2 / 3 * (a - c), d + 2 / 3 * (b - d), c, d)
            case Path.CURVE4:
                drawn.curveTo(*points)
            case Path.CLOSEPOLY:
                drawn.close()
        x, y = points[-2:]
    return drawn
