"""Layouts in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

Layout = TypeVar("Layout", bound=QBoxLayout)
Margins = int | tuple[int, int, int, int]
"""On all sides alike, or left, top, right, bottom."""


def vertical(parent: QWidget | None = None, spacing: int | None = None, margins: Margins = 0) -> QVBoxLayout:
    """Return a layout of things one below the other; without a spacing the style's."""
    return _spaced(QVBoxLayout(), parent, spacing, margins)


def horizontal(
    parent: QWidget | None = None, spacing: int | None = None, margins: Margins = 0
) -> QHBoxLayout:
    """Return a layout of things side by side; without a spacing the style's."""
    return _spaced(QHBoxLayout(), parent, spacing, margins)


def _spaced(layout: Layout, parent: QWidget | None, spacing: int | None, margins: Margins) -> Layout:
    if parent is not None:
        parent.setLayout(layout)
    layout.setContentsMargins(*((margins,) * 4 if isinstance(margins, int) else margins))
    if spacing is not None:
        layout.setSpacing(spacing)
    return layout
