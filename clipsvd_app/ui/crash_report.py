"""What is shown and copied when the program itself is at fault."""

from __future__ import annotations

import platform
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from clipsvd_app import __version__

if TYPE_CHECKING:
    from types import TracebackType


def report_text(kind: type[BaseException], trace: TracebackType | None) -> str:
    """Return kind and places of an error: file names of code, lines and functions, no message or value."""
    places = [
        f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)
    ]
    head = f"CLIP-SVD Studio {__version__}, Python {platform.python_version()}, {platform.system()}"
    return "\n".join([head, kind.__name__, *places])


def show_crash(parent: QWidget, kind: type[BaseException], trace: TracebackType | None) -> None:
    """Tell that something went wrong, and offer the report for copying."""
    text = report_text(kind, trace)
    box = QMessageBox(
        QMessageBox.Icon.Warning,
        "Something went wrong",
        "Your labels are saved, and you can continue working.",
        QMessageBox.StandardButton.Close,
        parent,
    )
    copy = box.addButton("Copy report", QMessageBox.ButtonRole.ActionRole)
    copy.clicked.connect(lambda: QApplication.clipboard().setText(text))
    box.setDetailedText(text)
    box.open()
