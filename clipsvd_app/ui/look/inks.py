"""Colours for painters: the palette in force, the one for print, and mixtures of two colours."""

from __future__ import annotations

from PySide6.QtGui import QColor, QGuiApplication, QPalette

from clipsvd_app.ui.look.theme import DARK, LIGHT, Palette

PRINT = LIGHT
"""Saved pictures go into papers and slides: they are drawn on white whatever the theme."""


def palette_in_force() -> Palette:
    """Return the palette that the application uses, told by how dark its windows are."""
    window = QGuiApplication.palette().color(QPalette.ColorRole.Window)
    return DARK if luminance(window) < 0.2 else LIGHT


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """Return ``first`` moved by ``share`` (0 to 1) towards ``second``."""
    keep = 1 - share
    return QColor.fromRgbF(
        first.redF() * keep + second.redF() * share,
        first.greenF() * keep + second.greenF() * share,
        first.blueF() * keep + second.blueF() * share,
    )


def heat(palette: Palette, share: float) -> QColor:
    """Return a step of the one-hue scale from the panel (0) to the accent (1)."""
    return mixed(palette.color("panel"), palette.color("accent"), min(1.0, max(0.0, share)))


def ink_on(ground: QColor) -> QColor:
    """Return black or white, whichever contrasts more with ``ground``: never below 4.5 to 1."""
    level = luminance(ground)
    black_contrast, white_contrast = (level + 0.05) / 0.05, 1.05 / (level + 0.05)
    return QColor("#000000") if black_contrast > white_contrast else QColor("#ffffff")


def luminance(colour: QColor) -> float:
    """Return the relative luminance, 0 to 1 (WCAG 2.2)."""

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())
