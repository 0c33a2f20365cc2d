"""Numbers with what they count, everywhere in the same way."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return “1 image” or “1,204 images”; many: the plural that is not ``one`` with an s behind it.

    Both may be more than a noun: “1 image is” and “2 images are”.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def images_of_patients(images: int, patients: int) -> str:
    """Return “41 images of 23 patients”."""
    return f"{counted(images, 'image')} of {counted(patients, 'patient')}"
