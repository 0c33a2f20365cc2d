"""The files under dropped paths: read once, before it is said who the patients are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import ImageHeader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.services.grouping import PatientRule

_CROSS_SECTIONAL = frozenset({"CT", "MR", "PT", "NM", "SM"})
_PLAIN = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
_LARGEST_DECODED_PIXELS = 1 << 20
_OWN_FILES = re.compile(r"\.clipsvd(-wal|-shm|-journal|\.lock)?$|\.sigma\.safetensors$")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not taken: its name and one sentence with a remedy."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file whose header was read. Identities in it are held while the import lasts, never stored."""

    path: Path
    sha256: str
    header: ImageHeader
    near_hash: str

    def patient(self, rule: PatientRule) -> str | None:
        """Return the patient's identity in the clear; a study that names none is one by itself."""
        named = rule.key(self.path, self.header.patient_id)
        if named is None and self.header.study_uid:
            return f"study:{self.header.study_uid}"
        return named


@dataclass(frozen=True, slots=True)
class FilesRead:
    """What was found under dropped paths. others: objects that are no images, each also refused."""

    found: tuple[FoundFile, ...]
    refused: tuple[Refusal, ...]
    others: tuple[FoundFile, ...] = ()


def read_files(
    paths: Sequence[Path],
    report: Callable[[int, int], None] | None = None,
    unpack_into: Path | None = None,
) -> FilesRead:
    """Read the headers under ``paths``; archives are unpacked below ``unpack_into``, else for this process.

    report: told (files done, files in all); raises Cancelled to stop.

    Safe to call from a thread. Raises UserError when there is nothing to read at all.
    """
    from clipsvd_app import imaging

    files = [
        path
        for path in imaging.find_files(paths, unpack_into=unpack_into)
        if not _OWN_FILES.search(path.name)
    ]
    if not files:
        raise UserError(
            "There is no image file in what you added.",
            remedy="Add DICOM, PNG, JPEG, TIFF or NIfTI files, or a folder that holds some.",
            code="nothing_found",
        )
    found: list[FoundFile] = []
    others: list[FoundFile] = []
    refused: list[Refusal] = []
    for done, path in enumerate(files):
        if report is not None:
            report(done, len(files))
        try:
            item = _read(path)
        except UserError as error:
            refused.append(Refusal(str(path), str(error)))
            continue
        if item.header.object_name:
            others.append(item)
            refused.append(Refusal(str(path), str(_no_image(item))))
        else:
            found.append(item)
    if report is not None:
        report(len(files), len(files))
    return FilesRead(tuple(found), tuple(refused), tuple(others))


def one_id_on_all(found: Sequence[FoundFile]) -> bool:
    """Whether several DICOM studies carry one patient ID, or none, as anonymisers leave it."""
    dicom = [item.header for item in found if item.header.kind == "DICOM"]
    return len({h.study_uid for h in dicom}) > 1 and len({h.patient_id.strip() for h in dicom}) == 1


def unnamed_files(found: Sequence[FoundFile], rule: PatientRule) -> tuple[FoundFile, ...]:
    """Return the files of which the rule does not say who the patient is."""
    return tuple(item for item in found if item.patient(rule) is None)


def _read(path: Path) -> FoundFile:
    from clipsvd_app import imaging

    header = imaging.read_object_header(path)
    near = ""
    if _must_be_seen(header) or _may_be_seen(header):
        try:
            near = f"{imaging.perceptual_hash(imaging.open_as_rgb(path)):016x}"
        except UserError:
            if _must_be_seen(header):
                raise
    return FoundFile(path, imaging.known_sha256(path), header, near)


def _must_be_seen(header: ImageHeader) -> bool:
    """Say whether only its likeness can tell whose a picture is."""
    unknown = not (header.patient_id.strip() or header.study_uid)
    return not header.object_name and (unknown or header.kind not in ("DICOM", "volume"))


def _may_be_seen(header: ImageHeader) -> bool:
    """Say whether a DICOM image is compared with those of other patients.

    Slices of a body are alike by nature; decoding large compressed films would make an import many times
    as long.
    """
    film = header.kind == "DICOM" and header.frames == 1 and header.modality not in _CROSS_SECTIONAL
    large = header.rows * header.columns > _LARGEST_DECODED_PIXELS
    return film and not header.object_name and (header.transfer_syntax in _PLAIN or not large)


def _no_image(item: FoundFile) -> UserError:
    rest = ", not an image" if item.header.frames else " and holds no pixels"
    return UserError(
        f"{item.path.name} is {item.header.object_name}{rest}.",
        remedy="Choose the images of the study instead.",
        code="unsupported_object" if item.header.frames else "no_pixels",
    )
