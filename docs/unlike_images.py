"""How often Apply warns: of images like those of training, of another kind, and drawn.

    PYTHONPATH=packaging python docs/unlike_images.py LIKE --group-regex REGEX --other FOLDER... --drawn 40

LIKE is a folder of pictures of one kind, whose patients are told by a pattern of the file name. Each draw
learns from so many patients of it, as a training run does before it writes an adapter, and is asked about the
pictures of all other patients, about every folder of ``--other``, and about pictures drawn as the bundled
model's phantoms are.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import numpy as np
import torch
from demo_backbone.phantoms import GENERATORS
from PIL import Image

from clipsvd_app.engine.backbone.backbone import Backbone, load_backbone
from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.engine.sigma.likeness import kind_cosines, learn_likeness
from clipsvd_app.jobs.requests import ImageInput
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import load_settings


def main() -> None:
    """Print a line for each set of pictures: how many, and the share that is warned of (mean and range)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("like", type=Path)
    parser.add_argument("--group-regex", required=True)
    parser.add_argument("--other", type=Path, nargs="*", default=[])
    parser.add_argument("--drawn", type=int, default=0, metavar="N", help="pictures of each drawn kind")
    parser.add_argument("--patients", type=int, nargs="+", default=[16, 40, 80])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--most", type=int, default=400, help="pictures of each set at most")
    parser.add_argument("--backbone", default=backbones.DEMO)
    options = parser.parse_args()
    found = backbones.find(load_settings(), options.backbone)
    backbone = load_backbone(Path(found.folder), torch.device("cpu"), found.name)
    like = _pictures(options.like, options.most)
    groups = np.array([re.search(options.group_regex, path.name)[1] for path in like])
    cosines = _cosines(backbone, like)
    others = {folder.name: _cosines(backbone, _pictures(folder, options.most)) for folder in options.other}
    others |= _drawn(backbone, options.drawn)
    for patients in options.patients:
        shares: dict[str, list[float]] = {}
        for draw in range(options.draws):
            chosen = np.random.default_rng(draw).permutation(np.unique(groups))[:patients]
            inside = np.isin(groups, chosen)
            likeness = learn_likeness(cosines[inside], groups[inside].tolist())
            for name, rows in {f"{options.like.name}, other patients": cosines[~inside], **others}.items():
                warned = [kind is not None for kind in likeness.unlike(rows)] if likeness else []
                shares.setdefault(name, []).append(float(np.mean(warned)))
        for name, found_shares in shares.items():
            low, mean, high = (100 * f(found_shares) for f in (np.min, np.mean, np.max))
            print(f"{patients:3d} patients | {name} | {mean:.1f} % ({low:.1f} to {high:.1f})")


def _pictures(folder: Path, most: int) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    return [found[place] for place in sorted(np.random.default_rng(0).permutation(len(found))[:most])]


def _cosines(backbone: Backbone, paths: list[Path]) -> np.ndarray:
    inputs = [ImageInput(number, str(path), 0, str(number)) for number, path in enumerate(paths)]
    read = FeatureStore(backbone).of(inputs, lambda *_: None)
    return kind_cosines(backbone, read.features)


def _drawn(backbone: Backbone, count: int) -> dict[str, np.ndarray]:
    found = {}
    for draw, _share in GENERATORS if count else ():
        rng, name = np.random.default_rng(7), f"drawn: {draw.__module__.split('.')[-1]}.{draw.__name__}"
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{number}.png" for number in range(count)]
            for path in paths:
                Image.fromarray(draw(rng).pixels).save(path)
            found[name] = _cosines(backbone, paths)
    return found


if __name__ == "__main__":
    main()
