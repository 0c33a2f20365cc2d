"""The corpus as one state of the model embeds it, kept in the cache folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from clipsvd_app.engine.backbones import embed_texts
from clipsvd_app.engine.explain.corpus import MODALITIES, CorpusPhrase, without_class_names
from clipsvd_app.settings import cache_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clipsvd_app.engine.adapted import AdaptedModel
    from clipsvd_app.jobs import Report

_BATCH = 64
_SURE_OF_MODALITY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedCorpus:
    """Phrases with unit embeddings (phrases, width) fp32, centred and made unit again.

    Descriptions and negative controls are centred each on their own mean, so that controls vary as
    descriptions do and a match with one is not ruled out from the start.
    """

    phrases: tuple[CorpusPhrase, ...]
    centred: NDArray[np.float32]

    @property
    def is_control(self) -> NDArray[np.bool_]:
        """Which phrases are negative controls (phrases,)."""
        return np.array([phrase.is_control for phrase in self.phrases], dtype=bool)


def embed_corpus(
    adapted: AdaptedModel,
    corpus: Sequence[CorpusPhrase],
    mean_image: NDArray[np.float32],
    report: Report,
) -> EmbeddedCorpus:
    """Embed the phrases that may describe these images: of their modality or any, and the controls.

    mean_image: (width,) mean embedding of the images. The modality is that of the nearest modality
    sentence; when no modality is clearly nearest, phrases of all are kept. Phrases that say a class
    by name are dropped.
    """
    kept = without_class_names(corpus, (spec.name for spec in adapted.classes))
    texts = tuple(phrase.text for phrase in kept)
    sentences = tuple(MODALITIES.values())
    vectors = _embed_or_recall(adapted, texts + sentences, report)
    modality = _modality(vectors[len(texts) :], mean_image, adapted.backbone.logit_scale)
    wanted = {"any", "none", modality} if modality else {"any", "none", *MODALITIES}
    rows = [row for row, phrase in enumerate(kept) if phrase.modality in wanted]
    return centre_corpus(tuple(kept[row] for row in rows), vectors[rows])


def centre_corpus(phrases: tuple[CorpusPhrase, ...], vectors: NDArray[np.float32]) -> EmbeddedCorpus:
    """Centre unit embeddings (phrases, width), descriptions and controls apart, and make each unit again."""
    centred = np.array(vectors, dtype=np.float32)
    is_control = np.array([phrase.is_control for phrase in phrases], dtype=bool)
    for group in (is_control, ~is_control):
        if group.any():
            centred[group] -= centred[group].mean(axis=0)
    return EmbeddedCorpus(phrases, unit(centred))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors (..., width) to length 1; a vector of zeros stays so."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


def state_hash(adapted: AdaptedModel) -> str:
    """Return a hash of the base and the trained singular values: what an embedding depends on."""
    digest = hashlib.sha256(adapted.backbone.sha256.encode())
    for name, sigma in sorted(adapted.sigmas.items()):
        digest.update(name.encode() + np.ascontiguousarray(sigma, dtype="<f4").tobytes())
    return digest.hexdigest()


def recall_array(key: str) -> NDArray[np.float32] | None:
    """Return an array kept under ``key`` in the cache folder; None if it is absent or damaged."""
    try:
        with _cache_file(key).open("rb") as file:
            return np.asarray(np.load(file, allow_pickle=False), dtype=np.float32)
    except (OSError, ValueError, EOFError):
        return None


def keep_array(key: str, values: NDArray[np.float32]) -> None:
    """Keep an array in the cache folder; a cache that cannot be written only costs time."""
    target = _cache_file(key)
    temporary = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.save(file, values, allow_pickle=False)
        temporary.replace(target)
    except OSError:
        return


def _embed_or_recall(adapted: AdaptedModel, texts: Sequence[str], report: Report) -> NDArray[np.float32]:
    words = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    key = f"corpus-{words[:24]}-{state_hash(adapted)[:24]}"
    kept = recall_array(key)
    if kept is not None and len(kept) == len(texts) and np.isfinite(kept).all():
        return kept
    parts = []
    for start in range(0, len(texts), _BATCH):
        report("Reading the corpus", start, len(texts))
        tokens = adapted.backbone.tokenize(texts[start : start + _BATCH])
        with torch.no_grad():
            parts.append(embed_texts(adapted.model, tokens).cpu().numpy())
    vectors = np.concatenate(parts).astype(np.float32)
    keep_array(key, vectors)
    return vectors


def _modality(
    sentences: NDArray[np.float32], mean_image: NDArray[np.float32], logit_scale: float
) -> str | None:
    logits = logit_scale * (sentences @ unit(mean_image))
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    best = int(chances.argmax())
    return tuple(MODALITIES)[best] if chances[best] >= _SURE_OF_MODALITY else None


def _cache_file(key: str) -> Path:
    return cache_folder() / "explanations" / f"{key}.npy"
