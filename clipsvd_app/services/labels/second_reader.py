"""A second reader sees the images without anybody else's labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.project.reading_changes import SetReadings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.domain.project_values import ProjectImage, Reading

# The label is stored with every reading and written to tables: initials are asked for, not a name.
LONGEST_NAME = 16


def reader_name(text: str) -> str:
    """Return a reader's short label, as initials; UserError for none or a long one."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME:
        raise UserError(
            "The reader has no name." if not name else f"“{name}” is too long.",
            remedy=f"Enter initials, at most {LONGEST_NAME} characters.",
            code="reader_name",
        )
    return name


def as_read_by(
    images: Iterable[ProjectImage], readings: Iterable[Reading], reader: str
) -> tuple[ProjectImage, ...]:
    """Return the images as a reader sees them: own labels only, no marks, nothing excluded.

    No other reader's opinion may show.
    """
    own = {reading.image_id: reading.class_id for reading in readings if reading.reader == reader}
    return tuple(
        replace(image, class_id=own.get(image.id), mark="") for image in images if image.mark != "excluded"
    )


def set_readings(reader: str, image_ids: Sequence[int], class_id: int | None) -> SetReadings:
    """Return the change that stores a reader's class for images."""
    noun = "image" if len(image_ids) == 1 else counted(len(image_ids), "image")
    return SetReadings(reader, dict.fromkeys(image_ids, class_id), f"read {noun}")
