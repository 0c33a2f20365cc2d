"""Each attention head's output in phrases (TextSpan: Gandelsman et al. 2024), compared with a null.

A head's contributions to the embeddings of n images are centred. The phrase t along which they vary most,
t^T C t for their covariance C and unit t, is taken, its direction is removed from C, and so on. A phrase
counts only if it exceeds the best phrase in 95 % of random rotations of all phrases: a rotation keeps
the phrases' similarities to each other and removes their relation to the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from clipsvd_app.domain.results.explanation import ROTATIONS, HeadReading, Phrase
from clipsvd_app.engine.device.torch_setup import one_thread
from clipsvd_app.engine.explain.model.decomposition import head_outputs, head_ways_out
from clipsvd_app.engine.explain.model.image_tower import Trace, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus
    from clipsvd_app.engine.explain.model.image_tower import TowerView
    from clipsvd_app.jobs.lines import Report

# Later phrases explain little of a head's variance.
MOST_PHRASES = 5
_LEVEL = 0.95
# Bounds memory, and the time between two reports.
_BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class RotatedPhrases:
    """Squares of phrases' coordinates in random frames (rotations, phrases, dimensions), shared by all heads.

    Rotating the phrases is equivalent to rotating the head, so one set of draws serves all heads.
    """

    squares: Tensor

    def threshold(self, spectrum: Tensor) -> float:
        """Return the null's 95 % point of the best phrase's variance for a head with these eigenvalues."""
        best = (self.squares[..., : len(spectrum)] @ spectrum.to(self.squares)).amax(dim=1)
        return float(np.quantile(best.double().numpy(), _LEVEL))


def rotate_phrases(texts: Tensor, dimensions: int, seed: int = 0) -> RotatedPhrases:
    """Draw the null for unit phrases (phrases, embedding) and heads of at most ``dimensions``."""
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randn((ROTATIONS, texts.shape[1], dimensions), generator=generator, dtype=texts.dtype)
    with one_thread():
        turned = torch.linalg.qr(frames).Q
    return RotatedPhrases((texts @ turned).square())


def gather_heads(model: nn.Module, view: TowerView, images: Tensor, report: Report) -> Trace:
    """Pass images (images, 3, size, size) through the tower in batches and keep the heads' outputs."""
    device = view.projection.device
    parts = []
    for start in range(0, len(images), _BATCH):
        report("Recording attention heads", start, len(images))
        parts.append(trace(model, view, images[start : start + _BATCH].to(device)))
    return Trace(
        end=torch.cat([part.end for part in parts]),
        embedding=torch.cat([part.embedding for part in parts]),
        mixed=[torch.cat(layer) for layer in zip(*(part.mixed for part in parts), strict=True)],
    )


def read_heads(
    view: TowerView, found: Trace, corpus: EmbeddedCorpus, report: Report, seed: int = 0
) -> Iterator[tuple[int, int, HeadReading]]:
    """Yield layer, head and reading of every head of the image tower."""
    texts = torch.from_numpy(corpus.centred)
    outputs = head_outputs(view, found).cpu()
    null = rotate_phrases(texts, min(outputs.shape[-1], texts.shape[1]), seed)
    for layer in range(len(outputs)):
        report("Describing attention heads", layer, len(outputs))
        ways_out = head_ways_out(view, layer).cpu()
        for head in range(view.heads):
            contributions = outputs[layer, :, head] @ ways_out[head]
            yield layer, head, read_span(contributions, texts, corpus, null)


def read_span(
    contributions: Tensor, texts: Tensor, corpus: EmbeddedCorpus, null: RotatedPhrases
) -> HeadReading:
    """Read one head from its contributions (images, embedding); texts are unit (phrases, embedding)."""
    spectrum, axes = _principal(contributions)
    total = float(spectrum.sum())
    if total <= 0:
        return HeadReading((), 0.0, 0.0)
    coordinates = texts.double() @ axes.T
    phrases: list[Phrase] = []
    first: tuple[float, float] | None = None
    for _ in range(MOST_PHRASES):
        scores = coordinates.square() @ spectrum
        row = int(scores.argmax())
        score, threshold = float(scores[row]) / total, null.threshold(spectrum) / total
        first = first or (score, threshold)
        if score <= threshold:
            break
        phrase = corpus.phrases[row]
        if phrase.is_control:
            return HeadReading(tuple(phrases), *first, is_control=not phrases)
        phrases.append(Phrase(phrase.text, score, phrase.axis))
        spectrum, coordinates = _deflated(spectrum, coordinates, row)
    assert first is not None
    return HeadReading(tuple(phrases), *first)


def _principal(contributions: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (rank,) descending and axes (rank, embedding) of the centred covariance."""
    centred = (contributions - contributions.mean(dim=0)).double()
    with one_thread():
        _, lengths, axes = torch.linalg.svd(_compressed(centred), full_matrices=False)
    spectrum = lengths.square() / len(centred)
    # Directions below this are rounding of fp64; 1e-300 keeps a head that writes nothing from dividing by 0.
    kept = spectrum > 1e-12 * spectrum.max().clamp_min(1e-300)
    return spectrum[kept], axes[kept]


def _compressed(rows: Tensor) -> Tensor:
    """Return fewer rows with the same covariance where there are more rows than columns."""
    return torch.linalg.qr(rows, mode="r").R if rows.shape[0] > rows.shape[1] else rows


def _deflated(spectrum: Tensor, coordinates: Tensor, row: int) -> tuple[Tensor, Tensor]:
    """Remove the direction of one phrase from the covariance and turn to its new principal axes."""
    taken = coordinates[row] / coordinates[row].norm()
    left = torch.eye(len(taken), dtype=taken.dtype) - torch.outer(taken, taken)
    with one_thread():
        values, vectors = torch.linalg.eigh(left @ torch.diag(spectrum) @ left)
    turned = coordinates @ vectors.flip(1)
    # Exactly, so that rounding cannot choose the same phrase twice.
    turned[row] = 0
    return values.flip(0).clamp_min(0), turned
