"""Damaged files of pydicom and pydicom-data, TIFF, PNG, JPEG and volumes, sent through import and viewer.

``PYTHONPATH=tests python -m support.mutants --count 8000`` prints one JSON document and ends with 1 when
anything but pictures and refusals in one sentence came out. Every fourth batch is also shown in the real
window, in a process of its own. The same seed gives the same mutants. The tests run a few hundred.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from support.bundled import bundled_folders

LARGEST_BYTES = 400_000
LONGEST_S = 3.0
BATCH = 50
WINDOW_EVERY = 4
LONGEST_WINDOW_S = 400
WINDOW = Path(__file__).with_name("mutant_window.py")
PIXEL_DATA = b"\xe0\x7f\x10\x00"


@dataclass
class MutantReport:
    """faults: what must not happen, by the number of the mutant. slowest_s: of any one file.

    slowest_refusal_s: of any file that was refused. windows: how many were opened, each on one batch.
    """

    mutants: int = 0
    shown: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    slowest_refusal_s: float = 0.0
    peak_worker_mb: float = 0.0
    windows: int = 0
    window_crashes: int = 0
    window_shown: int = 0
    window_refused: int = 0
    window_slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)


@functools.cache
def originals() -> tuple[bytes, ...]:
    """Files with pixels, small enough to be read by the thousand; two in three are DICOM."""
    found = (path for folder in bundled_folders() for path in folder.rglob("*.dcm"))
    files = sorted(
        (path for path in found if path.stat().st_size <= LARGEST_BYTES), key=lambda path: path.name
    )
    dicom = [content for path in files if (content := path.read_bytes()).rfind(PIXEL_DATA) > 0]
    others = [*_pictures(), *_volumes()]
    return (*dicom, *(others * (len(dicom) // (2 * len(others)) + 1)))


def _pictures() -> list[bytes]:
    grey = (np.arange(96 * 80) * 7 % 4096).astype(np.uint16).reshape(96, 80)
    colour = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    codecs = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "tiff_ccitt")
    made = []
    for codec in codecs:
        deep = {None: grey, "jpeg": colour, "tiff_ccitt": grey > 2048}.get(codec, grey)
        made.append(_saved(Image.fromarray(deep), format="TIFF", compression=codec))
    pages = [Image.fromarray(colour), Image.fromarray(colour[::-1])]
    made.append(_saved(pages[0], format="TIFF", save_all=True, append_images=pages[1:]))
    return [*made, _saved(pages[0], format="PNG"), _saved(pages[0], format="JPEG")]


def _saved(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def _volumes() -> list[bytes]:
    import SimpleITK

    voxels = np.arange(6 * 20 * 24, dtype=np.int16).reshape(6, 20, 24)
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("v.nii", "v.nrrd", "v.mha"):
            SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(Path(folder, name)))
            made.append(Path(folder, name).read_bytes())
    return [*made, gzip.compress(made[0], mtime=0)]


def mutant(seed: int, number: int) -> bytes:
    """Return one damaged file: bytes overwritten in header or pixels, flipped, cut off, moved or doubled."""
    chance = random.Random(f"{seed}:{number}")
    made = bytearray(chance.choice(originals()))
    pixels = made.rfind(PIXEL_DATA) if made[128:132] == b"DICM" else min(400, len(made) // 2)
    for _ in range(chance.randint(1, 5)):
        header = 128 if made[128:132] == b"DICM" else 0
        start, stop = chance.choice(((header, pixels + 12), (pixels, len(made)), (0, len(made))))
        at = chance.randrange(start, max(start + 1, min(stop, len(made))))
        if at >= len(made):
            continue
        kind = chance.random()
        if kind < 0.6:
            made[at] = chance.choice((0, 1, 127, 128, 254, 255, chance.randrange(256)))
        elif kind < 0.85:
            made[at] ^= 1 << chance.randrange(8)
        elif kind < 0.87:
            del made[at:]
        else:
            piece = made[at : at + chance.randrange(1, 64)]
            to = chance.randrange(len(made))
            made[to:to] = piece
    return bytes(made)


def run(count: int, seed: int, folder: Path, first: int = 0, *, window: bool = False) -> MutantReport:
    """Import mutants into a project and show what was taken, in a real window too if asked."""
    from clipsvd_app.project import create_project

    report = MutantReport()
    _start_workers()
    with create_project(folder / "mutants") as project:
        for start in range(first, first + count, BATCH):
            numbers = range(start, min(start + BATCH, first + count))
            paths = _written(folder / "in", numbers, seed)
            _import(project, paths, report)
            if window and (start - first) // BATCH % WINDOW_EVERY == 0:
                _show_in_window(folder / f"window{start}.clipsvd", paths, report)
    return report


def _show_in_window(place: Path, paths: list[Path], report: MutantReport) -> None:
    """Import a batch into a project of its own, and show all of it in a window of its own."""
    from clipsvd_app.project import create_project
    from clipsvd_app.services.studies.import_plan import apply_import, plan_import

    with create_project(place) as project:
        project.apply(apply_import(project, plan_import(project, paths)))
        names = {image.id: Path(image.path).stem for image in project.images()}
    environment = {**os.environ, "CLIPSVD_HOME": str(place.with_suffix(".home"))}
    environment |= {"QT_QPA_PLATFORM": "offscreen"}
    report.windows += 1
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(WINDOW), str(place)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST_WINDOW_S,
            check=False,
        )
        lines, error = done.stdout.splitlines(), f"ended with {done.returncode}: {done.stderr[:3000]}"
    except subprocess.TimeoutExpired:
        lines, error = [], f"did not end within {LONGEST_WINDOW_S} s"
    answers = [json.loads(line) for line in lines]
    if not answers or "end" not in answers.pop():
        report.window_crashes += 1
        report.faults.append(f"the window of {paths[0].stem} to {paths[-1].stem} {error}")
    for answer in answers:
        name, said = names[answer["image"]], answer["said"]
        report.window_shown += not said
        report.window_refused += bool(said)
        report.window_slowest_s = max(report.window_slowest_s, answer["seconds"])
        if said and not _is_sentence(said, paths[0]):
            report.faults.append(f"{name} in the window: {said}")
        if answer["seconds"] > LONGEST_S:
            report.faults.append(f"{name} in the window: took {answer['seconds']:.1f} s")


def _start_workers() -> None:
    """Starting Python is no part of a file's time."""
    from clipsvd_app.imaging.guard.decode_worker import shared_pool

    for _ in range(2):
        shared_pool().run(abs, -1)


def _written(folder: Path, numbers: range, seed: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    paths = [folder / f"{number}.dcm" for number in numbers]
    for number, path in zip(numbers, paths, strict=True):
        path.write_bytes(mutant(seed, number))
    return paths


def _import(project, paths: list[Path], report: MutantReport) -> None:
    from clipsvd_app.errors import UserError
    from clipsvd_app.imaging.display.greys import to_display
    from clipsvd_app.imaging.reading import read_frame
    from clipsvd_app.services.studies.import_plan import apply_import, plan_import

    for path in paths:
        report.mutants += 1
        started, refused = time.monotonic(), report.refused
        try:
            plan = plan_import(project, [path])
            project.apply(apply_import(project, plan))
            sentences = [refusal.sentence for refusal in plan.refused]
            for image in plan.images[:2]:
                try:
                    to_display(read_frame(Path(image.path), image.frame))
                    report.shown += 1
                except UserError as error:
                    sentences.append(str(error))
            report.refused += bool(sentences)
            report.faults += [f"{path.stem}: {said}" for said in sentences if not _is_sentence(said, path)]
        except UserError as error:
            report.refused += 1
            report.faults += [] if _is_sentence(str(error), path) else [f"{path.stem}: {error}"]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            report.faults.append(f"{path.stem}: {type(error).__name__}: {error}")
        elapsed = time.monotonic() - started
        if elapsed > LONGEST_S:
            report.faults.append(f"{path.stem}: took {elapsed:.1f} s")
        report.slowest_s = max(report.slowest_s, elapsed)
        if report.refused > refused:
            report.slowest_refusal_s = max(report.slowest_refusal_s, elapsed)


def _is_sentence(said: str, path: Path) -> bool:
    return "\n" not in said and said.endswith(".") and len(said) < 300 and str(path.parent) not in said


def _peak_worker_mb() -> float:
    import resource

    from clipsvd_app.imaging.guard.decode_worker import shared_pool

    shared_pool().close()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--no-window", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(options.count, options.seed, Path(folder), options.first, window=not options.no_window)
    report.peak_worker_mb = round(_peak_worker_mb(), 1)
    sys.stdout.write(json.dumps(asdict(report), indent=1) + "\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
