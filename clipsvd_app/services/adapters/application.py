"""Using a trained adapter: on images of the project, and on new files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from clipsvd_app.adapter_file import read_exported
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.corpus import MODALITIES
from clipsvd_app.domain.spreadsheet import csv_text
from clipsvd_app.domain.view import Window
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import write_request
from clipsvd_app.jobs.requests import BackboneRef, ExplainRequest, ImageInput, PredictRequest, VerifyRequest
from clipsvd_app.services.files.job_folders import image_input, new_folder, new_job
from clipsvd_app.services.files.outputs import write_whole
from clipsvd_app.services.models import backbones
from clipsvd_app.services.studies.found_files import nothing_found

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.imaging.files.left_out import LeftOut
    from clipsvd_app.imaging.values import ImageHeader
    from clipsvd_app.jobs.answers import PredictResult
    from clipsvd_app.project import Project
    from clipsvd_app.settings import Settings


PathForm = Literal["given", "absolute", "name"]
NO_LIKENESS = "This adapter does not describe its training images, so images unlike them cannot be marked."
PATH_FORMS: tuple[PathForm, ...] = get_args(PathForm)


@dataclass(frozen=True, slots=True)
class NewFile:
    """One frame to predict: its path, its study as a number, and the window its series shares.

    ``place`` is its path as the user knows it: relative to the folder or archive that was given, with
    that folder in front where two files would otherwise share one path. ``series`` is a number too.
    ``position`` orders its frames: millimetres along the normal, else the instance number.
    """

    id: int
    path: Path
    frame: int
    study: int
    place: str = ""
    series_window: Window | None = None
    series: int = 0
    position: float = 0.0

    def shown(self, form: PathForm = "given") -> str:
        """Return how the file is named in a table or on the screen, the same for all its frames."""
        if form == "name":
            return self.path.name
        return str(self.path.absolute()) if form == "absolute" else self.place or self.path.name


@dataclass(frozen=True, slots=True)
class FilePrediction:
    """The answer for one frame; ``refusal`` is empty when there are probabilities.

    ``unlike`` says in a sentence that the frame is unlike the adapter's training images, else "".
    """

    file: NewFile
    probabilities: tuple[float, ...]
    zero_shot: tuple[float, ...]
    refusal: str = ""
    unlike: str = ""


def backbone_of(settings: Settings, adapter: Path, backbone: str | None = None) -> BackboneRef:
    """Return the backbone that an adapter needs, found by hash unless named.

    A named backbone with other weights is refused here, before anything is loaded.
    """
    base = read_exported(adapter).document.base
    if backbone is None:
        return backbones.find_by_hash(settings, base.sha256, base.name)
    found = backbones.find(settings, backbone)
    if found.sha256 != base.sha256:
        raise UserError(
            f"The adapter belongs to “{plain(base.name)}” ({base.sha256[:12]}…),"
            f" but the backbone is “{found.name}” ({found.sha256[:12]}…).",
            remedy="Choose the backbone that it was trained on, or omit --backbone.",
            code="adapter_base",
        )
    return found


def list_files(paths: Sequence[Path]) -> tuple[NewFile, ...]:
    """Return every frame under the paths; unreadable files are kept so that each is reported."""
    from clipsvd_app.imaging.files.archives import passing_folder
    from clipsvd_app.imaging.files.discovery import find_files
    from clipsvd_app.imaging.reading import read_header

    room = passing_folder()
    given: dict[Path, Path] = {}
    for path in paths:
        for file in find_files([path], unpack_into=room):
            given.setdefault(file, path)
    if not given:
        raise nothing_found(not_read(paths))
    studies: dict[str, int] = {}
    series: dict[str, list[int]] = {}
    numbers: dict[str, int] = {}
    places = _places(given, room)
    found: list[NewFile] = []
    # A file without UIDs, or one that cannot be read, is a study and a series of its own.
    for path in given:
        try:
            header = read_header(path)
            frames, study, one = header.frames, header.study_uid or str(path), header.series_uid or str(path)
            positions = _positions(header)
        except UserError:
            frames, study, one, positions = 1, str(path), str(path), (0.0,)
        number = studies.setdefault(study, len(studies) + 1)
        of_series = series.setdefault(one, [])
        of_series += range(len(found), len(found) + frames)
        place, series_number = places[path], numbers.setdefault(one, len(numbers) + 1)
        found += [
            NewFile(len(found) + frame, path, frame, number, place, None, series_number, positions[frame])
            for frame in range(frames)
        ]
    return _with_series_windows(found, series.values())


def _positions(header: ImageHeader) -> tuple[float, ...]:
    """Return where each frame of a file stands in its series."""
    planes = header.planes if len(header.planes) == header.frames else (None,) * header.frames
    return tuple(
        header.instance_number + frame / max(1, header.frames) if plane is None else plane.along_normal_mm
        for frame, plane in enumerate(planes)
    )


def _with_series_windows(files: Sequence[NewFile], series: Iterable[Sequence[int]]) -> tuple[NewFile, ...]:
    from clipsvd_app.imaging.series.window import series_window

    windows: dict[int, Window | None] = {}
    for members in series:
        shared = series_window([(files[place].path, files[place].frame) for place in members])
        windows |= dict.fromkeys(members, shared)
    return tuple(replace(file, series_window=windows.get(place)) for place, file in enumerate(files))


def prepare_predict(
    adapter: Path, backbone: BackboneRef, files: Sequence[NewFile], device: DeviceName = "auto"
) -> Path:
    """Write the job that predicts files and return its folder."""
    images = tuple(
        ImageInput(file.id, str(file.path), file.frame, str(file.study), series_window=file.series_window)
        for file in files
    )
    return new_job(PredictRequest(backbone, str(adapter.resolve()), images, device))


def gather(files: Sequence[NewFile], result: PredictResult) -> tuple[FilePrediction, ...]:
    """Join files and answers: those unlike the training images, then the least certain, refusals last."""
    answers = {answer.image_id: answer for answer in result.images}
    refusals = dict(result.refused)
    joined = [
        FilePrediction(
            file, answer.adapted, answer.zero_shot, unlike=unlike_sentence(answer.unlike, result.learnt_kind)
        )
        if (answer := answers.get(file.id)) is not None
        else FilePrediction(file, (), (), refusals.get(file.id, "The file could not be read."))
        for file in files
    ]
    # A refusal has no probability, and 2 is above any, so that refusals sort last.
    return tuple(sorted(joined, key=lambda row: (not row.unlike, max(row.probabilities, default=2.0))))


def unlike_sentence(kind: str | None, learnt: str) -> str:
    """Say that an image is unlike an adapter's training images; "" for one that is not (kind None)."""
    if kind is None:
        return ""
    nearer = "" if kind == learnt else f", nearer to {MODALITIES[kind]} than to {MODALITIES[learnt]}"
    return f"Unlike the training images{nearer}: do not rely on its probabilities."


def unlike_summary(rows: Sequence[FilePrediction], learnt: str) -> str:
    """Count the images unlike the training images, or say why that is unknown; "" if there are none."""
    read = [row for row in rows if row.probabilities]
    unlike = sum(bool(row.unlike) for row in read)
    if read and not learnt:
        return NO_LIKENESS
    if not unlike:
        return ""
    whole = f"{unlike:,} of {counted(len(read), 'image')} {'is' if unlike == 1 else 'are'}"
    return f"{whole} unlike the training images of this adapter."


def write_csv(
    rows: Sequence[FilePrediction], class_names: Sequence[str], out: Path, form: PathForm = "given"
) -> None:
    """Write one line per frame: file, frame, study, class, probabilities, warning, refusal."""
    heading = [
        *("file", "frame", "study", "predicted"),
        *(f"p({name})" for name in class_names),
        *(f"zero_shot({name})" for name in class_names),
        "unlike_training",
        "refused",
    ]
    write_whole(out, csv_text([heading, *(_csv_row(row, class_names, form) for row in rows)]).encode())


def prepare_explain(
    project: Project,
    number: int,
    image: ProjectImage,
    backbone: BackboneRef,
    device: DeviceName = "auto",
    *,
    occlusion: bool = False,
) -> Path:
    """Write the job that explains one image of the project under a run."""
    folder = new_folder()
    adapter = folder / "adapter.safetensors"
    adapter.write_bytes(project.run_adapter(number))
    write_request(folder, ExplainRequest(backbone, str(adapter), image_input(image, None), device, occlusion))
    return folder


def prepare_verify(adapter: Path, backbone: BackboneRef, device: DeviceName = "auto") -> Path:
    """Write the job that checks an adapter against its backbone."""
    return new_job(VerifyRequest(backbone, str(adapter.resolve()), device))


def run_backbone(project: Project, number: int, settings: Settings) -> BackboneRef:
    """Return the backbone that a run was trained on."""
    run = project.run_summary(number)
    return backbones.find_by_hash(settings, run.backbone_sha256, run.backbone_name)


def not_read(paths: Sequence[Path]) -> tuple[LeftOut, ...]:
    """Return what `list_files` leaves out under the paths, each with its reason."""
    from clipsvd_app.imaging.files.discovery import look_through

    return look_through(paths).left_out


def _places(given: Mapping[Path, Path], room: Path) -> dict[Path, str]:
    """Return the path to show for every file: the shortest form in which all are distinct.

    room: where archives were unpacked, each into a folder of its own.
    """
    below = {file: _below(file, path, room) for file, path in given.items()}
    typed = {file: f"{path.as_posix()}/{below[file]}" for file, path in given.items()}
    typed |= {file: file.as_posix() for file, path in given.items() if file.is_relative_to(path)}
    whole = {
        file: (file.relative_to(room) if file.is_relative_to(room) else file).as_posix() for file in given
    }
    return next((kind for kind in (below, typed) if len(set(kind.values())) == len(kind)), whole)


def _below(file: Path, given: Path, room: Path) -> str:
    """Return the path relative to the given folder or archive; of a file that was itself given, its name."""
    if file.is_relative_to(room):
        # Two parts come first: "archives" and the folder named after the archive's hash.
        return Path(*file.relative_to(room).parts[2:]).as_posix()
    top = given if file.is_relative_to(given) and file != given else given.parent  # a DICOMDIR's files
    return file.relative_to(top).as_posix() if file.is_relative_to(top) else file.as_posix()


def _csv_row(row: FilePrediction, class_names: Sequence[str], form: PathForm) -> list[object]:
    blank = [""] * len(class_names)
    named = class_names[row.probabilities.index(max(row.probabilities))] if row.probabilities else ""
    adapted: list[object] = [f"{p:.4f}" for p in row.probabilities] or list(blank)
    base: list[object] = [f"{p:.4f}" for p in row.zero_shot] or list(blank)
    return [
        row.file.shown(form),
        row.file.frame,
        row.file.study,
        named,
        *adapted,
        *base,
        row.unlike,
        row.refusal,
    ]
