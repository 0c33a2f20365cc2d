"""Draw and store shards of pictures with the teacher's features, beside the training."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from . import shards
from .teacher import Teacher


def main() -> None:
    """Render the shards that are still missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--images", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--films", type=int, required=True, help="how many of them, the last, hold films")
    parser.add_argument("--rank", type=int, default=0, help="which of several renderers this is")
    parser.add_argument("--of", type=int, default=1, help="how many renderers share the work")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    teacher = Teacher()
    for number in range(arguments.rank, arguments.count, arguments.of):
        if not (arguments.cache / f"shard_{number:03d}.npz").exists():
            films = number >= arguments.count - arguments.films
            shards.render(arguments.cache, number, teacher, arguments.images, films=films)
            print(f"rendered {number + 1} of {arguments.count}", flush=True)


if __name__ == "__main__":
    main()
