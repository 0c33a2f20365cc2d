"""The stages in order: tokenizer, pictures, learning, measuring, model card."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from tokenizers import Tokenizer

from . import batches, card, learning, measure, phantoms, phrasing, shards, together, towers, wordpieces
from .student import Student
from .teacher import HOW_TO_GET, Teacher

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 11
CAPTIONS_FOR_VOCABULARY = 3000


def main() -> None:
    """Run every stage; finished ones are found in --work and not repeated."""
    wanted = _arguments()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    wanted.work.mkdir(parents=True, exist_ok=True)
    if not (wanted.out / "vocab.txt").exists() or wanted.new_vocabulary:
        write_vocabulary(wanted.out)
    if wanted.rank == 0:
        renderer = start_renderer(wanted)
        wait_for_pictures(wanted.work / "cache", renderer)
        learnt = train(wanted)
        renderer.terminate()
        finish(wanted, learnt)
    else:
        train(wanted)


def write_vocabulary(folder: Path) -> None:
    """Train the tokenizer on captions of phantoms and our word list; write it and both configurations."""
    rng = np.random.default_rng(SEED)
    sentences = []
    for _ in range(CAPTIONS_FOR_VOCABULARY):
        picture = phantoms.draw(rng)
        sentences.append(phrasing.caption(rng, picture.modality, picture.statements))
    words = Path(__file__).with_name("medical_words.txt").read_text().split()
    pieces = wordpieces.train_vocabulary(sentences, words)
    wordpieces.write_tokenizer(folder, pieces)
    towers.write_configs(folder, len(pieces))


def start_renderer(wanted: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Draw pictures in a process of their own, so that learning begins with the first of them."""
    command = [sys.executable, "-m", "demo_backbone.render", "--cache", str(wanted.work / "cache")]
    command += ["--count", str(wanted.shards), "--images", *map(str, wanted.images)]
    return subprocess.Popen(command, cwd=Path(__file__).parent.parent)


def wait_for_pictures(cache: Path, renderer: subprocess.Popen[bytes]) -> None:
    """Return once the held-out shard and the first shard for learning lie in the cache."""
    while not (cache / "shard_001.npz").exists():
        if renderer.poll() not in (None, 0):
            raise SystemExit(HOW_TO_GET)
        time.sleep(1)


def train(wanted: argparse.Namespace) -> Student:
    """Learn until the budget is used, leaving a usable model in --out at every check."""
    team = together.join(wanted.work, wanted.rank, wanted.workers)
    tokenizer = Tokenizer.from_file(str(wanted.out / "tokenizer.json"))
    supply = batches.Supply(wanted.work / "cache", tokenizer, SEED + wanted.rank)
    student = Student(towers.build_model(wanted.out))
    budget = learning.Budget(wanted.minutes, wanted.steps)
    return learning.learn(
        student, supply, budget, wanted.work / "checkpoint.pt", _checker(wanted, tokenizer), team
    )


def _checker(wanted: argparse.Namespace, tokenizer: Tokenizer) -> Callable[[Student, str], None]:
    held_out = shards.first(shards.load(wanted.work / "cache" / f"shard_{batches.HELD_OUT:03d}.npz"), 600)
    probe = measure.ChestProbe(wanted.probe) if wanted.probe else None

    def check(student: Student, when: str) -> None:
        towers.save_weights(wanted.out, student.clip.state_dict())
        found = {
            "modality": measure.modality_accuracy(student.clip, tokenizer, held_out)["balanced_accuracy"]
        }
        found |= measure.retrieval(student.clip, tokenizer, held_out, count=200)
        if probe:
            before, after = measure.image_features(student.clip, probe.pixels)
            found |= {"probe": probe.score(before)["mean"], "probe_embedding": probe.score(after)["mean"]}
        print(when, {name: round(value, 3) for name, value in found.items()}, flush=True)

    return check


def finish(wanted: argparse.Namespace, student: Student) -> None:
    """Write the weights, measure what was written, and write the model card."""
    towers.save_weights(wanted.out, student.clip.state_dict())
    tokenizer = Tokenizer.from_file(str(wanted.out / "tokenizer.json"))
    held_out = shards.load(wanted.work / "cache" / f"shard_{batches.HELD_OUT:03d}.npz")
    clip, _ = towers.load_model(wanted.out)
    torch.set_num_threads(2)
    figures: dict[str, dict[str, float]] = {
        "retrieval": measure.retrieval(clip, tokenizer, held_out),
        "modality": measure.modality_accuracy(clip, tokenizer, held_out),
        "speed": {"images_per_second": measure.images_per_second(clip), "threads": 2.0},
    }
    if wanted.probe:
        probe = measure.ChestProbe(wanted.probe)
        before, after = measure.image_features(clip, probe.pixels)
        pooled = Teacher().features(probe.pixels)[0].float().numpy()
        figures |= {
            "probe": probe.score(before),
            "probe_embedding": probe.score(after),
            "probe_teacher": probe.score(pooled),
        }
        untrained = Student(towers.build_model(wanted.out)).clip
        figures["probe_untrained"] = probe.score(measure.image_features(untrained, probe.pixels)[0])
    checkpoint = torch.load(wanted.work / "checkpoint.pt", map_location="cpu", weights_only=True)
    pictures = shards.LENGTH * (len(list((wanted.work / "cache").glob("shard_[0-9][0-9][0-9].npz"))) - 1)
    figures["training"] = {
        "steps": float(checkpoint["step"]),
        "images_per_step": float(learning.BATCH * wanted.workers),
        "minutes": checkpoint["used_s"] / 60,
        "pictures": float(pictures),
    }
    (wanted.work / "figures.json").write_text(json.dumps(figures, indent=2))
    (wanted.out / "README.md").write_text(card.model_card(figures, with_real_images=bool(wanted.images)))
    print(json.dumps(figures, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train the demo backbone from nothing but drawn pictures and a teacher."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the backbone")
    parser.add_argument(
        "--work", type=Path, default=Path("build/demo_backbone"), help="folder for cache and checkpoint"
    )
    parser.add_argument(
        "--images", type=Path, nargs="*", default=[], help="folders or MedMNIST .npz of unlabelled images"
    )
    parser.add_argument(
        "--probe", type=Path, help="folder of one folder per class; odd-numbered patients measure"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to learn")
    parser.add_argument("--steps", type=int, default=0, help="learn for so many steps instead (repeatable)")
    parser.add_argument("--shards", type=int, default=15, help="how many files of 2,000 pictures to draw")
    parser.add_argument(
        "--workers", type=int, default=2, help="processes that learn together, one thread each"
    )
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument(
        "--new-vocabulary", action="store_true", help="train the tokenizer anew in an existing folder"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
