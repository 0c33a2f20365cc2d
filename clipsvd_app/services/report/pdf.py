"""A report as PDF, by reportlab: text that can be selected, figures as vectors, the same bytes each time."""

from __future__ import annotations

import io
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import reportlab
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Paragraph, Spacer
from reportlab.platypus import Image as PdfImage
from reportlab.platypus import Table as PdfTable

from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.services.report.blocks import Block, Document, Facts, Figure, Gallery, Picture, Table, Text
from clipsvd_app.services.report.pdf_figures import DrawnFigure
from clipsvd_app.services.report.plots import INKS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportlab.pdfgen.canvas import Canvas

# Bitstream Vera comes with reportlab. PDF's built-in fonts know Latin-1 only.
INK, MUTED, GRID = INKS["text"], INKS["text_muted"], INKS["grid"]
_PLAIN, _BOLD = "Vera", "VeraBd"
# A4 with four thumbnails in a row: about 44 mm each.
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_COLUMNS = 4
_UNKNOWN = "?"
SPELLING = "Characters missing from the PDF font are shown as “?”. The web page (.html) shows all characters."


def to_pdf(document: Document, report: Callable[[int, int], None]) -> bytes:
    """Return the file; ``report(sections done, all)`` may raise Cancelled."""
    _register_fonts()
    buffer = io.BytesIO()
    parts: list[Flowable] = [
        Paragraph(_spelled(document.title), _style(20, bold=True, after=2)),
        Paragraph(_spelled(document.program), _style(9, MUTED, after=4)),
        Paragraph(_spelled(NOT_DIAGNOSTIC), _style(10, bold=True, after=4)),
    ]
    if _lacks(document):
        parts.append(Paragraph(SPELLING, _style(8, MUTED)))
    for done, section in enumerate(document.sections):
        report(done, len(document.sections))
        heading = Paragraph(_spelled(section.title), _style(13, bold=True, before=14, after=5))
        flowables = [part for block in section.blocks for part in _block(block)]
        parts += [KeepTogether([heading, *flowables[:1]]), *flowables[1:]]
    template = BaseDocTemplate(
        buffer,
        pagesize=A4,
        title=document.title,
        creator=document.program,
        producer=document.program,
        subject=NOT_DIAGNOSTIC,
        author="",
        # reportlab then writes no date and no random document id.
        invariant=1,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + 6 * mm,
    )
    frame = Frame(_MARGIN, _MARGIN + 6 * mm, _WIDTH, A4[1] - 2 * _MARGIN - 6 * mm, 0, 0, 0, 0)
    template.addPageTemplates(PageTemplate(frames=[frame], onPage=partial(_foot, document.title)))
    template.build(parts)
    report(1, 1)
    return buffer.getvalue()


def _foot(title: str, canvas: Canvas, template: BaseDocTemplate) -> None:
    """Write the notice and the page number at the foot of every page."""
    canvas.setFont(_PLAIN, 8)
    canvas.setFillColor(HexColor(MUTED))
    canvas.drawString(_MARGIN, _MARGIN - 3 * mm, f"{_spelled_plain(title)}. {NOT_DIAGNOSTIC}")
    canvas.drawRightString(A4[0] - _MARGIN, _MARGIN - 3 * mm, f"Page {template.page}")


def _block(block: Block) -> list[Flowable]:
    match block:
        case Text():
            return [Paragraph(_spelled(block.text), _style(12 if block.strong else 9.5, bold=block.strong))]
        case Facts():
            return [_pdf_table([list(pair) for pair in block.pairs], (0.24, 0.76), header=False)]
        case Table():
            return [_pdf_table([list(block.header), *map(list, block.rows)], block.widths, header=True)]
        case Figure():
            caption = Paragraph(_spelled(block.caption), _style(8, MUTED, after=8))
            return [
                KeepTogether(
                    [Spacer(1, 6), DrawnFigure(block.figure, _WIDTH, _PLAIN, _spelled_plain), caption]
                )
            ]
        case Gallery():
            return _gallery(block.pictures)


def _gallery(pictures: Sequence[Picture]) -> list[Flowable]:
    rows = [pictures[start : start + _COLUMNS] for start in range(0, len(pictures), _COLUMNS)]
    return [
        PdfTable(
            [[_cell(picture) for picture in row]], colWidths=[_WIDTH / _COLUMNS] * len(row), hAlign="LEFT"
        )
        for row in rows
    ]


def _cell(picture: Picture) -> list[Flowable]:
    scale = min(1.0, (_WIDTH / _COLUMNS - 12) / picture.width_px)
    shown = PdfImage(
        io.BytesIO(picture.png), picture.width_px * scale, picture.height_px * scale, hAlign="LEFT"
    )
    return [shown, Paragraph(_spelled(picture.caption), _style(8, MUTED))]


def _pdf_table(rows: list[list[str]], widths: Sequence[float], *, header: bool) -> Flowable:
    body, head = _style(8.5), _style(8.5, MUTED)
    cells = [
        [Paragraph(_spelled(cell), head if header and row == 0 else body) for cell in line]
        for row, line in enumerate(rows)
    ]
    lines = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(GRID)),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    return PdfTable(
        cells,
        colWidths=[_WIDTH * share for share in widths],
        style=lines,
        repeatRows=int(header),
        spaceBefore=4,
        spaceAfter=8,
        hAlign="LEFT",
    )


def _style(
    size: float, colour: str = INK, *, bold: bool = False, before: float = 0, after: float = 4
) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}{colour}{bold}{before}{after}",
        fontName=_BOLD if bold else _PLAIN,
        fontSize=size,
        leading=size * 1.4,
        textColor=HexColor(colour),
        spaceBefore=before,
        spaceAfter=after,
    )


@lru_cache(maxsize=1)
def _register_fonts() -> frozenset[str]:
    """Register the fonts that reportlab brings, and return the characters that both can show."""
    folder = Path(reportlab.__file__).parent / "fonts"
    fonts = [TTFont(name, str(folder / f"{name}.ttf")) for name in (_PLAIN, _BOLD)]
    for font in fonts:
        pdfmetrics.registerFont(font)
    pdfmetrics.registerFontFamily(_PLAIN, normal=_PLAIN, bold=_BOLD, italic=_PLAIN, boldItalic=_BOLD)
    return frozenset(chr(code) for code in fonts[0].face.charToGlyph if code in fonts[1].face.charToGlyph)


def _spelled_plain(text: str) -> str:
    known = _register_fonts()
    narrow = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")
    return "".join(mark if mark in known else _UNKNOWN for mark in narrow)


def _spelled(text: str) -> str:
    """Return text as reportlab's paragraphs take it: unknown characters replaced, markup escaped."""
    return _spelled_plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _lacks(document: Document) -> bool:
    """Whether any text of tables and paragraphs cannot be spelled with the font."""
    texts: list[str] = []
    for section in document.sections:
        for block in section.blocks:
            match block:
                case Text():
                    texts.append(block.text)
                case Table():
                    texts += [cell for row in block.rows for cell in row]
                case Gallery():
                    texts += [picture.caption for picture in block.pictures]
                case _:
                    pass
    return any(_UNKNOWN in _spelled_plain(text) and _UNKNOWN not in text for text in texts)
