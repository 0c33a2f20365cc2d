"""A report as one web page; styles, figures and pictures are inside it."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.services.report.blocks import (
    Block,
    Document,
    Facts,
    Figure,
    Gallery,
    Picture,
    Section,
    Table,
    Text,
)
from clipsvd_app.services.report.plots import plotted

if TYPE_CHECKING:
    from clipsvd_app.figures.figure import Figure as Described

# The page loads nothing and runs nothing, whatever a class name may hold that was not escaped.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
body { font: 15px/1.5 system-ui, "Segoe UI", sans-serif; color: #16191d; background: #fff;
  margin: 0 auto; max-width: 780px; padding: 32px 24px 72px; }
h1 { font-size: 26px; margin: 0; }
h2 { font-size: 19px; margin: 36px 0 8px; border-bottom: 1px solid #dde0e5; }
p { margin: 8px 0; } .strong { font-weight: 600; font-size: 18px; }
.muted, figcaption, th { color: #535c66; }
table { border-collapse: collapse; width: 100%; margin: 12px 0; font-size: 13.5px; }
th, td { text-align: left; vertical-align: top; padding: 5px 8px 5px 0; border-bottom: 1px solid #dde0e5; }
th { font-weight: 500; } figure { margin: 16px 0; break-inside: avoid; } figcaption { font-size: 13px; }
svg { max-width: 100%; height: auto; font-family: inherit; }
.gallery { display: flex; flex-wrap: wrap; gap: 12px; }
.gallery figure { width: 168px; margin: 0; } .gallery img { background: #000; max-width: 160px; }
.notice { background: #fdf3dc; padding: 6px 10px; border-radius: 6px; }
footer { position: fixed; left: 0; right: 0; bottom: 0; background: #fff; border-top: 1px solid #dde0e5;
  text-align: center; padding: 6px; font-size: 12.5px; color: #535c66; }
@page { margin: 18mm 16mm 20mm; }
"""


def to_html(document: Document) -> str:
    """Return the page; the notice is printed on every sheet."""
    sections = "".join(_section(section) for section in document.sections)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(document.title)}</title><style>{_STYLE}</style></head><body>"
        f'<h1>{escape(document.title)}</h1><p class="muted">{escape(document.program)}</p>'
        f'<p class="notice">{escape(NOT_DIAGNOSTIC)}</p>{sections}'
        f"<footer>{escape(NOT_DIAGNOSTIC)}</footer></body></html>\n"
    )


def _section(section: Section) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    return f"<section><h2>{escape(section.title)}</h2>\n{blocks}</section>\n"


def _block(block: Block) -> str:
    match block:
        case Text():
            return (
                f'<p class="strong">{escape(block.text)}</p>'
                if block.strong
                else f"<p>{escape(block.text)}</p>"
            )
        case Facts():
            rows = "".join(
                f"<tr><th>{escape(name)}</th><td>{escape(said)}</td></tr>" for name, said in block.pairs
            )
            return f"<table>{rows}</table>"
        case Table():
            return _table(block)
        case Figure():
            return f"<figure>{_svg(block.figure)}<figcaption>{escape(block.caption)}</figcaption></figure>"
        case Gallery():
            return f'<div class="gallery">{"".join(map(_picture, block.pictures))}</div>'


def _svg(figure: Described) -> str:
    """Return an inline SVG element with the words that a screen reader says."""
    text = plotted(figure, "svg").decode()
    said = f"{figure.title}. {figure.description}"
    return f'<svg role="img" aria-label="{escape(said)}"' + text[text.index("<svg") + 4 :]


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.png).decode("ascii")
    caption = escape(picture.caption)
    return (
        f'<figure><img src="data:image/png;base64,{data}" width="{picture.width_px}" '
        f'height="{picture.height_px}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
    )


def _table(table: Table) -> str:
    columns = "".join(f'<col style="width:{share * 100:g}%">' for share in table.widths)
    header = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return (
        f"<table><colgroup>{columns}</colgroup><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>"
    )
