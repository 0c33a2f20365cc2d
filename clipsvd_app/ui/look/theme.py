"""The look: two palettes of colour roles, one style sheet template, one object that tells of a change.

Widgets choose a look through the property ``kind`` (see :func:`set_kind`), never by colours of their own:

- QFrame: ``panel`` (a region of the window), ``card`` (raised, rounded), ``line`` (a hairline)
- QLabel: ``title``, ``headline``, ``section``, ``muted``, ``small``, ``number``, ``mono``, ``chip``,
  ``warning``, ``error``, ``success``
- QPushButton: ``primary`` (one to a page), ``quiet`` (text only), ``danger``
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QPalette

from clipsvd_app.resources import resource_path
from clipsvd_app.settings import ThemeName
from clipsvd_app.ui.look.plain_text import PlainTextStyle

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by role, as ``#rrggbb``."""

    name: ThemeName
    viewer: str  # behind images: the same near-black in both themes, as reading rooms have it
    viewer_text: str
    window: str
    panel: str
    raised: str
    field: str
    hover: str
    border: str
    border_strong: str
    text: str
    text_muted: str
    text_faint: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    info: str
    info_soft: str
    success: str
    success_soft: str
    warning: str
    warning_soft: str
    error: str
    error_soft: str
    series: tuple[str, ...]  # plot lines, in order: distinguishable without colour vision

    def color(self, role: str) -> QColor:
        """Return the colour of a role, for painters."""
        return QColor(getattr(self, role))


DARK = Palette(
    name="dark",
    viewer="#08090a",
    viewer_text="#d5dadf",
    window="#101214",
    panel="#16191c",
    raised="#1d2125",
    field="#212529",
    hover="#282d33",
    border="#2a2f35",
    border_strong="#414951",
    text="#e8eaed",
    text_muted="#a3acb5",
    text_faint="#7a848e",
    accent="#7c9bff",
    accent_hover="#96b0ff",
    accent_soft="#232c47",
    on_accent="#0b1020",
    info="#7c9bff",
    info_soft="#1d2540",
    success="#4dbd8c",
    success_soft="#15302a",
    warning="#e3ab3f",
    warning_soft="#352a15",
    error="#f0746c",
    error_soft="#3a1d1d",
    series=("#7c9bff", "#e69f00", "#2bb68a", "#e0729f", "#56b4e9", "#c9b400"),
)

LIGHT = Palette(
    name="light",
    viewer="#08090a",
    viewer_text="#d5dadf",
    window="#f2f3f5",
    panel="#ffffff",
    raised="#f7f8fa",
    field="#ffffff",
    hover="#eceef2",
    border="#dde0e5",
    border_strong="#b4bac3",
    text="#16191d",
    text_muted="#535c66",
    text_faint="#757f8a",
    accent="#3a57d6",
    accent_hover="#2c47bd",
    accent_soft="#e3e8fc",
    on_accent="#ffffff",
    info="#3a57d6",
    info_soft="#e8edfd",
    success="#12744f",
    success_soft="#e0f3ea",
    warning="#8a5a00",
    warning_soft="#fcf0d6",
    error="#b3261e",
    error_soft="#fce6e4",
    series=("#3a57d6", "#c27c00", "#0a8763", "#b63d72", "#1c82c4", "#8a7a00"),
)

PALETTES: dict[ThemeName, Palette] = {"dark": DARK, "light": LIGHT}


class Theme(QObject):
    """The palette in force; ``changed`` carries the new :class:`Palette`. Made once and handed to widgets.

    A window uses ``sheet`` itself, and its dialogs and menus inherit it. The application has no sheet: Qt
    polishes every widget again for each of its ancestors when that one changes, some 14,000 times here.
    """

    changed = Signal(object)

    def __init__(self, app: QApplication, name: ThemeName = "dark") -> None:
        super().__init__(app)
        self._app = app
        app.setStyle(PlainTextStyle())
        self._palette = apply_theme(app, name)

    @property
    def palette(self) -> Palette:
        """The palette in force."""
        return self._palette

    @property
    def sheet(self) -> str:
        """The style sheet of the palette in force."""
        return style_sheet(self._palette, self._app.font().pointSizeF())

    def set_theme(self, name: ThemeName) -> None:
        """Switch the whole application to another theme."""
        if name == self._palette.name:
            return
        self._palette = apply_theme(self._app, name)
        self.changed.emit(self._palette)


def apply_theme(app: QApplication, name: ThemeName) -> Palette:
    """Give the application the palette of a theme."""
    palette = PALETTES[name]
    app.setPalette(qt_palette(palette))
    return palette


def style_sheet(palette: Palette, base_pt: float) -> str:
    """Fill the style sheet template; an unknown placeholder is a bug and raises ``KeyError``."""
    template = Template(resource_path("styles", "app.qss.in").read_text(encoding="utf-8"))
    base = base_pt if base_pt > 0 else 10.0
    sizes = {
        "small": f"{base * 0.88:.1f}pt",
        "base": f"{base:.1f}pt",
        "section": f"{base * 0.92:.1f}pt",
        "large": f"{base * 1.2:.1f}pt",
        "title": f"{base * 1.5:.1f}pt",
        "number": f"{base * 1.9:.1f}pt",
        "styles": quoted(resource_path("styles").as_posix()),
    }
    return template.substitute(asdict(palette), **sizes)


def quoted(text: str) -> str:
    """Escape a text for between double quotes in a style sheet (CSS 2.1, 4.3.7)."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def qt_palette(palette: Palette) -> QPalette:
    """Return the roles that Qt's own painting and native dialogs read."""
    roles = {
        QPalette.ColorRole.Window: palette.window,
        QPalette.ColorRole.WindowText: palette.text,
        QPalette.ColorRole.Base: palette.field,
        QPalette.ColorRole.AlternateBase: palette.raised,
        QPalette.ColorRole.Text: palette.text,
        QPalette.ColorRole.Button: palette.raised,
        QPalette.ColorRole.ButtonText: palette.text,
        QPalette.ColorRole.BrightText: palette.error,
        QPalette.ColorRole.Highlight: palette.accent,
        QPalette.ColorRole.HighlightedText: palette.on_accent,
        QPalette.ColorRole.ToolTipBase: palette.raised,
        QPalette.ColorRole.ToolTipText: palette.text,
        QPalette.ColorRole.PlaceholderText: palette.text_faint,
        QPalette.ColorRole.Link: palette.accent,
        QPalette.ColorRole.Mid: palette.border,
        QPalette.ColorRole.Dark: palette.border_strong,
    }
    result = QPalette()
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(palette.text_faint))
    return result


def set_kind(widget: QWidget, kind: str) -> None:
    """Choose a look of the style sheet for a widget, now or later."""
    widget.setProperty("kind", kind)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
