"""What the model can do with pictures and patients it has not seen: retrieval, modality, probe, speed."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from . import lexicon, phrasing, real_images
from .batches import normalised, token_ids
from .canvas import pick

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from .shards import Shard

Clip: TypeAlias = Any
SHOTS = 16
SEEDS = 5


def image_features(
    clip: Clip, pixels: NDArray[np.uint8], batch: int = 64
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return CLS features before the projection and unit embeddings of (n, 128, 128, 3) images."""
    before, after = [], []
    clip.eval()
    with torch.inference_mode():
        for start in range(0, len(pixels), batch):
            images = torch.from_numpy(pixels[start : start + batch]).permute(0, 3, 1, 2)
            features = clip.visual.trunk(normalised(images.float()))
            before.append(features)
            after.append(torch.nn.functional.normalize(clip.visual.head(features), dim=-1))
    clip.train()
    return torch.cat(before).numpy(), torch.cat(after).numpy()


def text_features(clip: Clip, tokenizer: Tokenizer, texts: list[str]) -> NDArray[np.float32]:
    """Return unit embeddings (n, 256)."""
    with torch.inference_mode():
        return np.asarray(
            clip.encode_text(token_ids(tokenizer, texts), normalize=True).numpy(), dtype=np.float32
        )


def retrieval(
    clip: Clip, tokenizer: Tokenizer, shard: Shard, count: int = 100, seed: int = 0
) -> dict[str, float]:
    """Recall at 1 and 5, both ways, among phantoms with distinct captions of all facts."""
    rng = np.random.default_rng(seed)
    chosen = [i for i, (_, statements) in enumerate(shard.facts) if len(statements) >= 2]
    chosen = [chosen[int(i)] for i in rng.permutation(len(chosen))]
    captions: dict[str, int] = {}
    for i in chosen:
        modality, statements = shard.facts[i]
        facts = ", ".join(pick(rng, s) for s in statements)
        captions.setdefault(f"{pick(rng, phrasing.MODALITIES[modality])} with {facts}", i)
    texts = list(captions)[:count]
    _, images = image_features(clip, shard.pixels[[captions[t] for t in texts]])
    scores = images @ text_features(clip, tokenizer, texts).T
    result = {"n": float(len(texts))}
    for name, matrix in (("image_to_text", scores), ("text_to_image", scores.T)):
        rank = (matrix > np.diag(matrix)[:, None]).sum(axis=1)
        result |= {f"{name}_r1": float((rank < 1).mean()), f"{name}_r5": float((rank < 5).mean())}
    return result


def modality_accuracy(clip: Clip, tokenizer: Tokenizer, shard: Shard) -> dict[str, float]:
    """Zero-shot accuracy among the kinds of phantom, prompts averaged over wordings."""
    names = list(phrasing.MODALITIES)
    prompts = np.stack(
        [text_features(clip, tokenizer, list(phrasing.MODALITIES[n])).mean(axis=0) for n in names]
    )
    kept = [i for i, (_, statements) in enumerate(shard.facts) if statements]
    truth = np.array([names.index(shard.facts[i][0]) for i in kept])
    _, images = image_features(clip, shard.pixels[kept])
    guess = (images @ prompts.T).argmax(axis=1)
    return {"n": float(len(kept)), "balanced_accuracy": float(balanced_accuracy_score(truth, guess))}


def held_out_words(embed: Callable[[list[str]], NDArray[np.float32]]) -> dict[str, float]:
    """Share of words no caption uses whose nearest corpus phrase is one that means the same."""
    with Path(__file__).with_name("held_out_words.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    phrases = lexicon.corpus()
    scores = embed([row["word"] for row in rows]) @ embed(list(phrases.values())).T
    ids = list(phrases)
    right = [
        ids[int(best)] in row["right"].split() for row, best in zip(rows, scores.argmax(axis=1), strict=True)
    ]
    chance = np.mean([len(row["right"].split()) for row in rows]) / len(ids)
    return {"n": float(len(rows)), "share": float(np.mean(right)), "chance": float(chance)}


class ChestProbe:
    """A linear probe on radiographs of odd-numbered patients, 16 a class, no patient on both sides."""

    def __init__(self, folder: Path) -> None:
        files = real_images.image_files(folder, real_images.has_odd_patient)
        self.pixels = np.stack([real_images.read_square(path) for path in files])
        names = sorted({path.parent.name for path in files})
        self._labels = np.array([names.index(path.parent.name) for path in files])
        self._patients = np.array([int(path.stem.split("_")[0]) for path in files])

    def score(self, features: NDArray[np.float32]) -> dict[str, float]:
        """Return mean and standard deviation over seeds of the balanced accuracy."""
        found = [self._once(features, seed) for seed in range(SEEDS)]
        return {"n": float(len(features)), "mean": float(np.mean(found)), "sd": float(np.std(found))}

    def _once(self, features: NDArray[np.float32], seed: int) -> float:
        order = np.random.default_rng(seed).permutation(len(self._labels))
        train = np.concatenate(
            [order[self._labels[order] == label][:SHOTS] for label in np.unique(self._labels)]
        )
        test = np.flatnonzero(~np.isin(self._patients, self._patients[train]))
        scaler = StandardScaler().fit(features[train])
        probe = LogisticRegression(C=0.01, max_iter=2000).fit(
            scaler.transform(features[train]), self._labels[train]
        )
        return float(
            balanced_accuracy_score(self._labels[test], probe.predict(scaler.transform(features[test])))
        )


def images_per_second(clip: Clip, batch: int = 32, rounds: int = 6) -> float:
    """Measure float32 inference on the threads torch has now: the best round, as other work slows some."""
    images = torch.zeros(batch, 3, 128, 128)
    clip.eval()
    found = []
    with torch.inference_mode():
        for _ in range(rounds):
            started = time.perf_counter()
            clip.encode_image(images)
            found.append(batch / (time.perf_counter() - started))
    return max(found)
