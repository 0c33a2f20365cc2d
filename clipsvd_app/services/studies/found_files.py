"""The files under dropped paths: read once, before the user says how patients are distinguished."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.left_out import LeftOut
from clipsvd_app.imaging.values import ImageHeader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.services.studies.patient_rules import PatientRule

# Slices, and tiles of whole slides (SM): neighbours of one body look alike by nature.
_CROSS_SECTIONAL = frozenset({"CT", "MR", "PT", "NM", "SM"})
# Implicit VR, explicit VR little endian and explicit VR big endian (PS3.5 A.1 to A.3): nothing to decode.
_PLAIN = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
# One megapixel. A compressed film of 3.6 megapixels takes 55 ms to decode and hash (docs/command-line.md),
# many times what its header takes.
_LARGEST_DECODED_PIXELS = 1 << 20
# Ten times a second: a cancel is felt at once, and a walk over thousands of files floods no window.
BETWEEN_CHECKS_S = 0.1


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file whose header was read. Identities in it are held in memory during the import, never stored.

    gives_window: its single frame has a window from the header or from its kind of image.
    """

    path: Path
    sha256: str
    header: ImageHeader
    near_hash: str
    gives_window: bool = False

    def patient(self, rule: PatientRule) -> str | None:
        """Return the patient's identity in plain text; a study without one counts as a patient of its own."""
        named = rule.key(self.path, self.header.patient_id)
        if named is None and self.header.study_uid:
            return f"study:{self.header.study_uid}"
        return named


@dataclass(frozen=True, slots=True)
class FilesRead:
    """What was found under dropped paths. others: objects that are no images, which are also left out.

    notes: sentences on archives and indexes that concern no single file.
    """

    found: tuple[FoundFile, ...]
    left_out: tuple[LeftOut, ...]
    others: tuple[FoundFile, ...] = ()
    notes: tuple[str, ...] = ()


def read_files(
    paths: Sequence[Path],
    report: Callable[[int, int], None] | None = None,
    unpack_into: Path | None = None,
) -> FilesRead:
    """Read the headers under ``paths``; archives are unpacked into ``unpack_into`` or a temporary folder.

    report: called with (files done, all files), (0, 0) while searching; raises Cancelled to stop.

    Safe to call from a thread. Raises UserError when there is nothing to read at all.
    """
    from clipsvd_app.imaging.files.discovery import look_through

    tell = report or (lambda _done, _total: None)
    findings = look_through(paths, unpack_into=unpack_into, check=_now_and_then(tell))
    if not findings.files and not any(item.sentence for item in findings.left_out):
        raise nothing_found(findings.left_out)
    found: list[FoundFile] = []
    others: list[FoundFile] = []
    left_out = list(findings.left_out)
    for done, path in enumerate(findings.files):
        tell(done, len(findings.files))
        try:
            item = _read(path)
        except UserError as error:
            left_out.append(LeftOut(str(path), error.code, str(error)))
            continue
        if item.header.object_name:
            others.append(item)
            refusal = _no_image(item)
            left_out.append(LeftOut(str(path), refusal.code, str(refusal)))
        else:
            found.append(item)
    tell(len(findings.files), len(findings.files))
    return FilesRead(tuple(found), tuple(left_out), tuple(others), findings.notes)


def nothing_found(left_out: Sequence[LeftOut]) -> UserError:
    """Return the refusal of paths without any file to read, with what was found instead."""
    from clipsvd_app.imaging.files.left_out import quiet_words

    for item in left_out:
        if item.sentence:
            return UserError(item.sentence, remedy="", code=item.reason)
    there = quiet_words(Counter(item.reason for item in left_out))
    return UserError(
        f"No image files found{f', only {there}' if there else ''}.",
        remedy="Add DICOM, PNG, JPEG, TIFF or NIfTI files, or a folder that contains them.",
        code="nothing_found",
    )


def one_id_on_all(found: Sequence[FoundFile]) -> bool:
    """Whether several DICOM studies carry one patient ID, or none, as anonymisers leave it."""
    dicom = [item.header for item in found if item.header.kind == "DICOM"]
    return len({h.study_uid for h in dicom}) > 1 and len({h.patient_id.strip() for h in dicom}) == 1


def unnamed_files(found: Sequence[FoundFile], rule: PatientRule) -> tuple[FoundFile, ...]:
    """Return the files whose patient the rule does not give."""
    return tuple(item for item in found if item.patient(rule) is None)


def _now_and_then(tell: Callable[[int, int], None]) -> Callable[[], None]:
    """Return a check that reports at most once per BETWEEN_CHECKS_S, through which a search is cancelled."""
    told_s = -BETWEEN_CHECKS_S

    def check() -> None:
        nonlocal told_s
        if time.monotonic() - told_s >= BETWEEN_CHECKS_S:
            told_s = time.monotonic()
            tell(0, 0)

    return check


def _refuse_odd(path: Path) -> None:
    """Refuse paths that are not Unicode, which no project can store, and files too large to hash.

    A sparse file states terabytes that it does not hold, and would be hashed for hours.
    """
    from clipsvd_app.imaging.guard import refusals

    with refusals.refusing(path):
        if re.search("[\ud800-\udfff]", os.path.realpath(path)):
            raise refusals.name_not_text(path)
        if path.is_file() and path.stat().st_size > refusals.MAX_FILE_BYTES:
            raise refusals.too_large_file(path)


def _read(path: Path) -> FoundFile:
    from clipsvd_app.imaging.display.greys import to_display
    from clipsvd_app.imaging.files.hashes import perceptual_hash
    from clipsvd_app.imaging.files.known_hashes import known_sha256
    from clipsvd_app.imaging.opened import held
    from clipsvd_app.imaging.reading import look_into

    _refuse_odd(path)
    with held(path) as file:
        look = look_into(file)
        header, near, gives_window = look.header, "", look.gives_window
        if _must_be_seen(header) or _may_be_seen(header):
            try:
                frame = look.first_frame()
                near = f"{perceptual_hash(to_display(frame)):016x}"
                gives_window = not frame.by_pixels
            # Its header is usable without pixels; only where the likeness alone can tell the patient is it
            # refused.
            except UserError:
                if _must_be_seen(header):
                    raise
        # Hashed last: most refusals come before it, and are then cheap.
        sha256 = known_sha256(file)
    return FoundFile(path, sha256, header, near, gives_window and header.frames == 1)


def _must_be_seen(header: ImageHeader) -> bool:
    """Whether only its likeness to others can tell whose an image is."""
    unknown = not (header.patient_id.strip() or header.study_uid)
    return not header.object_name and (unknown or header.kind not in ("DICOM", "volume"))


def _may_be_seen(header: ImageHeader) -> bool:
    """Whether a DICOM image is compared with those of other patients.

    Slices of a body look alike by nature, and decoding large compressed films would make an import many times
    as long.
    """
    film = header.kind == "DICOM" and header.frames == 1 and header.modality not in _CROSS_SECTIONAL
    large = header.rows * header.columns > _LARGEST_DECODED_PIXELS
    return film and not header.object_name and (header.transfer_syntax in _PLAIN or not large)


def _no_image(item: FoundFile) -> UserError:
    rest = ", not an image" if item.header.frames else " and has no pixels"
    return UserError(
        f"{item.path.name} is {item.header.object_name}{rest}.",
        remedy="Choose the images of the study instead.",
        code="unsupported_object" if item.header.frames else "no_pixels",
    )
