"""The corpus embedded by one state of the model, cached in a folder."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from clipsvd_app.corpus import MODALITIES, CorpusPhrase, without_class_names
from clipsvd_app.engine.backbone.backbone import embed_texts
from clipsvd_app.engine.backbone.prompts import cut_by_length
from clipsvd_app.files import MOST_CACHED_BYTES, keep, prune
from clipsvd_app.settings import cache_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.jobs.lines import Report

# More than all other modalities together; otherwise the phrases of all modalities are used.
_SURE_OF_MODALITY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedCorpus:
    """Phrases with unit embeddings (phrases, width) fp32, centred and made unit again.

    Descriptions and negative controls are centred separately. Around a common mean, controls would lie
    apart from all images and never match, and would control nothing.
    """

    phrases: tuple[CorpusPhrase, ...]
    centred: NDArray[np.float32]
    plain: NDArray[np.float32] | None = None
    """The embeddings before centring."""

    @property
    def descriptions(self) -> int:
        """How many phrases are not controls."""
        return sum(not phrase.is_control for phrase in self.phrases)

    @property
    def is_control(self) -> NDArray[np.bool_]:
        """Which phrases are negative controls (phrases,)."""
        return np.array([phrase.is_control for phrase in self.phrases], dtype=bool)


def embed_corpus(
    adapted: AdaptedModel,
    corpus: Sequence[CorpusPhrase],
    modalities: Collection[str],
    report: Report,
    *,
    lasting: bool = True,
) -> EmbeddedCorpus:
    """Embed the phrases that may describe images of these modalities, and the controls.

    Phrases that contain a class name are dropped, because they would explain a class by itself. Embeddings
    are cached only if ``lasting``: the fits of an estimate are never used again.
    """
    allowed = without_class_names(corpus, (spec.name for spec in adapted.classes))
    kept = tuple(phrase for phrase in allowed if phrase.applies_to(modalities))
    vectors = _embed_or_recall(adapted, tuple(phrase.text for phrase in kept), report, lasting=lasting)
    return centre_corpus(kept, vectors)


def likely_modalities(
    adapted: AdaptedModel, mean_image: NDArray[np.float32], report: Report
) -> tuple[str, ...]:
    """Return the modality whose sentence is nearest to the mean image (width,); all if none clearly is.

    By the base model, before and after training: the modality of an image does not depend on the classes.
    """
    sentences = _embed_or_recall(adapted.base, tuple(MODALITIES.values()), report)
    logits = adapted.backbone.logit_scale * (sentences @ unit(mean_image))
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    best = int(chances.argmax())
    return (tuple(MODALITIES)[best],) if chances[best] >= _SURE_OF_MODALITY else tuple(MODALITIES)


def centre_corpus(phrases: tuple[CorpusPhrase, ...], vectors: NDArray[np.float32]) -> EmbeddedCorpus:
    """Centre unit embeddings (phrases, width), descriptions and controls separately, and normalise again."""
    centred = np.array(vectors, dtype=np.float32)
    is_control = np.array([phrase.is_control for phrase in phrases], dtype=bool)
    for group in (is_control, ~is_control):
        if group.any():
            centred[group] -= centred[group].mean(axis=0)
    return EmbeddedCorpus(phrases, unit(centred), vectors)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors (..., width) to length 1; a vector of zeros stays so."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    # 1e-12 keeps a division by zero out; embeddings are about 1 long.
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


def state_hash(adapted: AdaptedModel) -> str:
    """Return a hash of all that an embedding depends on: the loaded base, and the singular values.

    No embedding of a text or an image depends on a class head.
    """
    digest = hashlib.sha256(adapted.backbone.fingerprint.encode())
    if adapted.has_base_towers:
        return digest.hexdigest()
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
    """Keep an array in the cache folder, among as many as there is room for."""
    raw = io.BytesIO()
    np.save(raw, values, allow_pickle=False)
    target = _cache_file(key)
    keep(target, raw.getvalue())
    prune(target.parent, MOST_CACHED_BYTES[target.parent.name])


def _embed_or_recall(
    adapted: AdaptedModel, texts: Sequence[str], report: Report, *, lasting: bool = True
) -> NDArray[np.float32]:
    words = hashlib.sha256(json.dumps(texts).encode()).hexdigest()
    key = f"corpus-{words[:32]}-{state_hash(adapted)[:32]}"
    kept = recall_array(key)
    if kept is not None and len(kept) == len(texts) and np.isfinite(kept).all():
        return kept
    vectors = _embed(adapted, texts, report)
    if lasting:
        keep_array(key, vectors)
    return vectors


@torch.no_grad()
def _embed(adapted: AdaptedModel, texts: Sequence[str], report: Report) -> NDArray[np.float32]:
    """Embed texts in parts of like length, and return their unit embeddings in the order of the texts."""
    tokens = adapted.backbone.tokenize(texts)
    order, cuts = cut_by_length(tokens)
    parts = []
    done = 0
    for count, length in cuts:
        report("Embedding phrases", done, len(texts))
        rows = order[done : done + count]
        parts.append(embed_texts(adapted.model, tokens[rows, :length]))
        done += count
    vectors = torch.cat(parts).cpu().numpy().astype(np.float32)
    in_order = np.empty_like(vectors)
    in_order[order] = vectors
    return in_order


def _cache_file(key: str) -> Path:
    return cache_folder() / "explanations" / f"{key}.npy"
