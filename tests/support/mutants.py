"""Damaged copies of pydicom's own test files, the same for the same seed, sent through import and viewer.

``python tests/support/mutants.py --count 8000`` prints one JSON document and ends with 1 when anything but
pictures and refusals in one sentence came out. The tests run a few hundred.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pydicom

LARGEST_BYTES = 400_000
LONGEST_S = 3.0
BATCH = 50


@dataclass
class MutantReport:
    """faults: what must not happen, by the number of the mutant. slowest_s: of any one file."""

    mutants: int = 0
    shown: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    peak_worker_mb: float = 0.0
    faults: list[str] = field(default_factory=list)


@functools.cache
def originals() -> tuple[bytes, ...]:
    """Files with pixels, small enough to be read by the thousand."""
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    files = sorted(path for path in folder.glob("*.dcm") if path.stat().st_size <= LARGEST_BYTES)
    contents = [path.read_bytes() for path in files]
    return tuple(content for content in contents if content.rfind(b"\xe0\x7f\x10\x00") > 0)


def mutant(seed: int, number: int) -> bytes:
    """Return one damaged file: bytes overwritten in header or pixels, flipped, cut off, moved or doubled."""
    chance = random.Random(f"{seed}:{number}")
    made = bytearray(chance.choice(originals()))
    pixels = made.rfind(b"\xe0\x7f\x10\x00")
    for _ in range(chance.randint(1, 5)):
        start, stop = chance.choice(((128, pixels + 12), (pixels, len(made)), (0, len(made))))
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


def run(count: int, seed: int, folder: Path, first: int = 0) -> MutantReport:
    """Import mutants into a project and show what was taken, as the window does."""
    from clipsvd_app.project import create_project

    report = MutantReport()
    _start_workers()
    with create_project(folder / "mutants") as project:
        for start in range(first, first + count, BATCH):
            numbers = range(start, min(start + BATCH, first + count))
            _import(project, _written(folder / "in", numbers, seed), report)
    return report


def _start_workers() -> None:
    """Starting Python is no part of a file's time."""
    from clipsvd_app.imaging.decode_worker import shared_pool

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
    from clipsvd_app.imaging import read_frame, to_display
    from clipsvd_app.services.importing import apply_import, plan_import

    for path in paths:
        report.mutants += 1
        started = time.monotonic()
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


def _is_sentence(said: str, path: Path) -> bool:
    return "\n" not in said and said.endswith(".") and len(said) < 300 and str(path.parent) not in said


def _peak_worker_mb() -> float:
    import resource

    from clipsvd_app.imaging.decode_worker import shared_pool

    shared_pool().close()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(options.count, options.seed, Path(folder), options.first)
    report.peak_worker_mb = round(_peak_worker_mb(), 1)
    sys.stdout.write(json.dumps(asdict(report), indent=1) + "\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
