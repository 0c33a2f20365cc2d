"""Writing a run's report as PDF or as one web page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.services.files.outputs import require_file, write_whole
from clipsvd_app.services.report.content import gather
from clipsvd_app.services.report.document import compose
from clipsvd_app.services.report.html import to_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.project import Project

SUFFIXES = (".pdf", ".html")


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report on disk: how many errors it shows, and how many it had to leave out."""

    path: Path
    size_bytes: int
    failures: int
    withheld: int


def write_report(
    project: Project,
    number: int,
    out: Path,
    report: Callable[[int, int], None],
    *,
    failures: bool = False,
    overwrite: bool = False,
) -> WrittenReport:
    """Write the report of a run to ``out``, whole or not at all; its suffix selects the format."""
    if out.suffix.lower() not in SUFFIXES:
        raise UserError(
            f"“{out.name}” is neither a PDF nor an HTML file name.",
            remedy="Use a file name that ends in .pdf or .html.",
            code="report_suffix",
        )
    require_file(out, overwrite=overwrite)
    content = gather(project, number, failures=failures, report=report)
    document = compose(content)
    if out.suffix.lower() == ".pdf":
        from clipsvd_app.services.report.pdf import to_pdf

        data = to_pdf(document, report)
    else:
        data = to_html(document).encode()
    write_whole(out, data)
    return WrittenReport(out, len(data), len(content.failures or ()), content.withheld)
