"""The stages in order, each found finished or half done in --work and not repeated."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Tokenizer

from . import (
    batches,
    card,
    learning,
    lexicon,
    measure,
    phantoms,
    phrasing,
    shards,
    targets,
    together,
    towers,
    wordpieces,
)
from .student import Student
from .teacher import Teacher
from .text_teacher import TextTeacher

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 11
CAPTIONS_FOR_VOCABULARY = 4000
PHRASES = 24_000
SHARDS_FOR_TARGETS = 4
STAGES = ("vocabulary", "pictures", "phrases", "distil", "align", "check", "card")


def main() -> None:
    """Run the wanted stages."""
    wanted = _arguments()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    wanted.work.mkdir(parents=True, exist_ok=True)
    does: dict[str, Callable[[argparse.Namespace], None]] = {
        "vocabulary": write_vocabulary,
        "pictures": draw_pictures,
        "phrases": write_phrases,
        "distil": lambda wanted: learn(wanted, learning.DISTIL, None),
        "align": lambda wanted: learn(wanted, learning.ALIGN, learning.DISTIL),
        "check": check,
        "card": write_card,
    }
    for stage in wanted.stages:
        print(f"stage {stage}", flush=True)
        does[stage](wanted)


def write_vocabulary(wanted: argparse.Namespace) -> None:
    """Train the tokenizer on captions, phrases and our word list; write it and both configurations."""
    if (wanted.work / "vocab.txt").exists():
        return
    rng = np.random.default_rng(SEED)
    sentences = lexicon.phrases(rng, CAPTIONS_FOR_VOCABULARY)
    for _ in range(CAPTIONS_FOR_VOCABULARY):
        picture = phantoms.draw(rng)
        sentences.append(phrasing.caption(rng, picture.modality, picture.statements))
    words = (Path(__file__).with_name("medical_words.txt")).read_text().split()
    pieces = wordpieces.train_vocabulary(sentences, [*words, *lexicon.single_words()])
    wordpieces.write_tokenizer(wanted.work, pieces)
    towers.write_configs(wanted.work, len(pieces))


def draw_pictures(wanted: argparse.Namespace) -> None:
    """Draw all shards with the image teacher's features, one process a worker, and fit the targets."""
    command = [sys.executable, "-m", "demo_backbone.render", "--cache", str(_cache(wanted))]
    command += ["--count", str(wanted.shards), "--films", str(wanted.films), "--of", str(wanted.workers)]
    images = ["--images", *(str(path.resolve()) for path in wanted.images)] if wanted.images else []
    here = Path(__file__).parent.parent
    renderers = [
        subprocess.Popen([*command, "--rank", str(rank), *images], cwd=here) for rank in range(wanted.workers)
    ]
    if any(renderer.wait() for renderer in renderers):
        raise SystemExit("Drawing stopped; its message is above.")
    if not _targets_file(wanted).exists():
        some = [_shard(wanted, number) for number in range(1, 1 + SHARDS_FOR_TARGETS)]
        targets.fit(some).save(_targets_file(wanted))


def write_phrases(wanted: argparse.Namespace) -> None:
    """Write the phrases for the text tower with the sentence teacher's embeddings."""
    path = wanted.work / "phrases.npz"
    if path.exists():
        return
    torch.set_num_threads(2)
    texts = lexicon.phrases(np.random.default_rng([SEED, 1]), PHRASES)
    np.savez(path, texts=np.array(texts), meanings=TextTeacher().features(texts))
    torch.set_num_threads(1)


def learn(wanted: argparse.Namespace, phase: learning.Phase, before: learning.Phase | None) -> None:
    """Learn until the phase's budget is used; the averaged student goes on in the next phase."""
    arguments = [*sys.argv[1:], "--stages", phase.name]
    team = together.join(wanted.work / f"meeting_{phase.name}", wanted.rank, wanted.workers, arguments)
    student = Student(towers.build_model(wanted.work))
    if before:
        student.load_state_dict(learning.averaged(_checkpoint(wanted, before)))
    number = learning.PHASES.index(phase)
    budget = learning.Budget(wanted.minutes[number], wanted.steps[number])
    seed = SEED + 100 * number + wanted.rank
    learning.learn(
        student, _supply(wanted, seed), phase, budget, _checkpoint(wanted, phase), _checker(wanted), team
    )
    together.leave(team)


def check(wanted: argparse.Namespace) -> None:
    """Write the weights to --out and measure what was written."""
    wanted.out.mkdir(parents=True, exist_ok=True)
    for name in towers.TEXT_FILES:
        (wanted.out / name).write_bytes((wanted.work / name).read_bytes())
    student = Student(towers.build_model(wanted.out))
    student.load_state_dict(learning.averaged(_checkpoint(wanted, learning.ALIGN)))
    towers.save_weights(wanted.out, student.clip.state_dict())
    tokenizer = Tokenizer.from_file(str(wanted.out / "tokenizer.json"))
    clip, _ = towers.load_model(wanted.out)
    torch.set_num_threads(2)
    held_out = _shard(wanted, batches.HELD_OUT)
    figures: dict[str, dict[str, float]] = {
        "retrieval": measure.retrieval(clip, tokenizer, held_out),
        "modality": measure.modality_accuracy(clip, tokenizer, held_out),
        "words": measure.held_out_words(lambda texts: measure.text_features(clip, tokenizer, texts)),
        "words_teacher": measure.held_out_words(TextTeacher().features),
        "speed": {"images_per_second": measure.images_per_second(clip), "threads": 2.0},
        "learning": _effort(wanted),
    }
    if wanted.probe:
        figures |= _probes(wanted, clip)
    (wanted.work / "figures.json").write_text(json.dumps(figures, indent=2))
    print(json.dumps(figures, indent=2))


def write_card(wanted: argparse.Namespace) -> None:
    """Write the model card from the figures."""
    figures = json.loads((wanted.work / "figures.json").read_text())
    records = [json.loads(line) for path in wanted.records for line in path.read_text().splitlines()]
    text = card.model_card(figures, records, with_real_images=bool(wanted.images))
    (wanted.out / "README.md").write_text(text)


def _probes(wanted: argparse.Namespace, clip: measure.Clip) -> dict[str, dict[str, float]]:
    probe = measure.ChestProbe(wanted.probe)
    before, after = measure.image_features(clip, probe.pixels)
    untrained = Student(towers.build_model(wanted.out)).clip
    return {
        "probe": probe.score(before),
        "probe_embedding": probe.score(after),
        "probe_teacher": probe.score(Teacher().features(probe.pixels)[0].float().numpy()),
        "probe_untrained": probe.score(measure.image_features(untrained, probe.pixels)[0]),
    }


def _effort(wanted: argparse.Namespace) -> dict[str, float]:
    found = {
        "pictures": float(shards.LENGTH * (wanted.shards - 1)),
        "films": float(shards.LENGTH * wanted.films),
    }
    for phase in learning.PHASES:
        steps, seconds = learning.effort(_checkpoint(wanted, phase))
        found[f"{phase.name}_steps"] = float(steps)
        found[f"{phase.name}_images"] = float(phase.batch * wanted.workers)
        found[f"{phase.name}_minutes"] = seconds / 60
    return found


def _checker(wanted: argparse.Namespace) -> Callable[[Student, str], None]:
    tokenizer = _tokenizer(wanted)
    held_out = shards.first(_shard(wanted, batches.HELD_OUT), 600)

    def check(student: Student, when: str) -> None:
        kinds = measure.modality_accuracy(student.clip, tokenizer, held_out)["balanced_accuracy"]
        found = {"modality": kinds} | measure.retrieval(student.clip, tokenizer, held_out)
        found["words"] = measure.held_out_words(
            lambda texts: measure.text_features(student.clip, tokenizer, texts)
        )["share"]
        print(when, {name: round(value, 3) for name, value in found.items()}, flush=True)

    return check


def _supply(wanted: argparse.Namespace, seed: int) -> batches.Supply:
    with np.load(wanted.work / "phrases.npz") as arrays:
        phrases = batches.Phrases([str(text) for text in arrays["texts"]], arrays["meanings"])
    return batches.Supply(
        _cache(wanted), _tokenizer(wanted), phrases, targets.load(_targets_file(wanted)), seed
    )


def _tokenizer(wanted: argparse.Namespace) -> Tokenizer:
    return Tokenizer.from_file(str(wanted.work / "tokenizer.json"))


def _cache(wanted: argparse.Namespace) -> Path:
    return Path(wanted.work).resolve() / "cache"


def _shard(wanted: argparse.Namespace, number: int) -> shards.Shard:
    return shards.load(_cache(wanted) / f"shard_{number:03d}.npz")


def _targets_file(wanted: argparse.Namespace) -> Path:
    return Path(wanted.work) / "targets.npz"


def _checkpoint(wanted: argparse.Namespace, phase: learning.Phase) -> Path:
    return Path(wanted.work) / f"checkpoint_{phase.name}.pt"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train the demo backbone from drawn pictures, unlabelled radiographs and two teachers."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the backbone")
    parser.add_argument(
        "--work", type=Path, default=Path("build/demo_backbone"), help="folder for cache and checkpoints"
    )
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES, help="which, in this order")
    parser.add_argument(
        "--images", type=Path, nargs="*", default=[], help="folders or MedMNIST .npz of unlabelled images"
    )
    parser.add_argument(
        "--probe", type=Path, help="folder of one folder per class; odd-numbered patients measure"
    )
    parser.add_argument(
        "--records", type=Path, nargs="*", default=[], help="JSON lines of docs/fewshot_with_peer.py"
    )
    both: dict[str, Any] = {"nargs": 2, "metavar": ("DISTIL", "ALIGN")}
    parser.add_argument("--minutes", type=float, default=(40.0, 20.0), help="how long to learn", **both)
    parser.add_argument("--steps", type=int, default=(0, 0), help="learn so many steps instead", **both)
    parser.add_argument("--shards", type=int, default=29, help="how many files of 2,000 pictures to draw")
    parser.add_argument("--films", type=int, default=3, help="how many of them, the last, hold chest films")
    parser.add_argument(
        "--workers", type=int, default=2, help="processes that work together, one thread each"
    )
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
