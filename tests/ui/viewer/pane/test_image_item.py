"""Facts about the picture as it is drawn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging.display.greys import greys_of, to_display
from clipsvd_app.imaging.values import Frame, VoiLut
from clipsvd_app.ui.viewer.pane import image_item
from clipsvd_app.ui.viewer.pane.image_item import PictureItem
from clipsvd_app.ui.viewer.state import FrameState

pytestmark = pytest.mark.gui
PIXELS = np.random.default_rng(4).normal(0, 400, (90, 60)).astype(np.float32)
PIXELS[:4] = -2000.0
WINDOW = Window(40, 400)
SIGMOID = Window(10, 300, "SIGMOID")
TABLE = VoiLut(-600, np.arange(0, 256, 2, dtype=np.uint8))


def painted(item: PictureItem, scale: float, seen: QRectF | None = None) -> np.ndarray:
    rows, columns = item.size
    image = QImage(round(columns * scale), round(rows * scale), QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.scale(scale, scale)
    option = QStyleOptionGraphicsItem()
    option.exposedRect = seen or item.boundingRect()
    item.paint(painter, option)
    painter.end()
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : image.width()].copy()


@pytest.mark.parametrize("chosen", [None, WINDOW, SIGMOID])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("table", [None, TABLE])
def test_the_screen_shows_the_greys_that_training_is_given(chosen, inverted, table):
    own = Window(-300.0, 900.0)
    tables = () if table is None else ((own, table),)
    frame = Frame(PIXELS, own, (), inverted, -2000.0, None, "HU", tables)
    state = FrameState(7, PIXELS, window=own, file_window=own, tables=tables, padding=-2000.0)
    item = PictureItem()
    item.set_pixels(PIXELS)
    item.set_greys(partial(state.greys, window=chosen or own, inverted=inverted))
    wanted = to_display(frame, chosen)
    assert np.array_equal(painted(item, 1.0), wanted)


def test_a_large_picture_that_moves_is_thinned_out_to_the_screen(monkeypatch):
    monkeypatch.setattr(image_item, "SMALL_PIXELS", 100)
    made = []

    def greys(pixels):
        made.append(pixels.shape)
        return np.clip(pixels, 0, 255).astype(np.uint8)

    item = PictureItem()
    item.set_pixels(PIXELS)
    item.set_greys(greys)
    item.moving = True
    painted(item, 0.25)
    assert made.pop() == (23, 15)
    painted(item, 0.25)
    assert not made  # what is there is drawn again
    item.moving = False
    painted(item, 0.25)
    assert made.pop() == (45, 30)
    item.set_greys(greys)
    painted(item, 1.0, QRectF(10.5, 20.0, 12.0, 6.5))
    assert made.pop() == (7, 13)  # the part that is seen


def test_a_part_is_drawn_where_it_belongs(monkeypatch):
    item = PictureItem()
    item.set_pixels(PIXELS)
    item.set_greys(lambda pixels: np.clip(pixels, 0, 255).astype(np.uint8))
    whole = painted(item, 1.0)
    monkeypatch.setattr(image_item, "SMALL_PIXELS", 100)
    item.set_pixels(PIXELS)
    part = painted(item, 1.0, QRectF(10, 20, 12, 6))
    assert np.array_equal(part[20:26, 10:22], whole[20:26, 10:22])
    assert not part[:20].any()


def test_colours_are_shown_as_they_are_and_can_be_inverted():
    red = np.zeros((4, 5, 3), np.uint8)
    red[..., 0] = 200
    state = FrameState(1, red)
    assert np.array_equal(state.greys(red, None, inverted=False), red)
    assert state.greys(red, None, inverted=True)[0, 0].tolist() == [55, 255, 255]


def test_the_window_that_stands_for_a_table_shows_the_table_beside_the_file_s_own_window():
    own, handle = Window(0.0, 100.0), Window(128.0, 256.0, "LINEAR_EXACT")
    state = FrameState(7, PIXELS, window=own, file_window=own, tables=((handle, TABLE),))
    by_table = greys_of(PIXELS, Window(0.0, 1.0), TABLE, inverted=False, padding=None)
    assert np.array_equal(state.greys(PIXELS, handle, inverted=False), by_table)
    assert not np.array_equal(state.greys(PIXELS, own, inverted=False), by_table)
