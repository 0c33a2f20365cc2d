"""Render the PNG sizes of the app and document icons: ``python packaging/make_icons.py``.

The SVG files in ``resources/icons`` are the drawings; the PNG files beside them in ``png/`` are for desktops
that want pixels. Needs the development environment (PySide6).
"""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ICONS = Path(__file__).resolve().parent.parent / "resources" / "icons"
SIZES_PX = (16, 22, 24, 32, 48, 64, 128, 256, 512)
SMALL_PX = 24
DOCUMENT_SIZES_PX = SIZES_PX[:-1]


def main() -> None:
    """Render every size of every icon."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = QGuiApplication([])
    folder = ICONS / "png"
    folder.mkdir(exist_ok=True)
    for size in SIZES_PX:
        # At few pixels the falling spectrum is mush: a simpler drawing takes its place.
        drawing = "app-small.svg" if size <= SMALL_PX else "app.svg"
        render(ICONS / drawing, size, folder / f"app-{size}.png")
    for name in ("project", "adapter"):
        for size in DOCUMENT_SIZES_PX:
            render(ICONS / f"{name}.svg", size, folder / f"{name}-{size}.png")
    application.quit()


def render(drawing: Path, size_px: int, target: Path) -> None:
    """Write the SVG file as a square PNG with a transparent ground."""
    image = QImage(size_px, size_px, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer = QSvgRenderer(str(drawing))
    assert renderer.isValid(), drawing
    renderer.render(painter)
    painter.end()
    assert image.save(str(target), quality=0), target


if __name__ == "__main__":
    main()
