"""A CLIP of two narrow layers with random weights: the true module names, no files, built in a moment."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.engine.backbone.architectures import list_targets
from clipsvd_app.engine.backbone.backbone import Backbone
from clipsvd_app.engine.backbone.folder import Preprocessing
from clipsvd_app.engine.backbone.tokenizer import TextReading
from clipsvd_app.engine.device.torch_setup import import_open_clip
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.basis import Basis, decompose
from clipsvd_app.engine.sigma.class_head import ClassHead

WIDTH, EMBEDDING, SIZE, PATCH, WORDS = 32, 24, 64, 8, 500
CLASSES = (ClassSpec("nodule", ("a nodule", "a round nodule")), ClassSpec("effusion", ("an effusion",)))


def no_report(stage: str, done: int, total: int, metrics: dict[str, float] | None = None) -> None:
    """Take progress and drop it."""


class SmallTokenizer:
    """One stable number for each word; 0 pads."""

    context_length = 40

    def __call__(self, texts: list[str]) -> Tensor:
        rows = [[1 + zlib.crc32(word.encode()) % (WORDS - 1) for word in text.split()] for text in texts]
        longest = max(map(len, rows))
        return torch.tensor([row + [0] * (longest - len(row)) for row in rows])

    def read(self, texts: list[str]) -> list[TextReading]:
        rows = [tuple(self([text])[0].tolist()) for text in texts]
        return [TextReading(row, row, text) for row, text in zip(rows, texts, strict=True)]


class SmallVisual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        import_open_clip()
        from timm.models.vision_transformer import VisionTransformer

        self.trunk = VisionTransformer(
            img_size=SIZE, patch_size=PATCH, embed_dim=WIDTH, depth=2, num_heads=4, num_classes=0
        )
        self.head = nn.Sequential()
        self.head.add_module("proj", nn.Linear(WIDTH, EMBEDDING, bias=False))


class SmallText(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        from transformers import BertConfig, BertModel

        config = BertConfig(
            vocab_size=WORDS,
            hidden_size=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=40,
            initializer_range=0.2,
        )
        self.transformer = BertModel(config, add_pooling_layer=False)
        self.proj = nn.Linear(WIDTH, EMBEDDING, bias=False)


class SmallClip(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.visual, self.text = SmallVisual(), SmallText()

    def encode_image(self, images: Tensor) -> Tensor:
        return self.visual.head(self.visual.trunk(images))

    def encode_text(self, tokens: Tensor) -> Tensor:
        hidden = self.text.transformer(tokens, attention_mask=(tokens != 0).long()).last_hidden_state
        return self.text.proj(hidden[:, 0])


def small_backbone(seed: int = 0) -> Backbone:
    """Return a loaded backbone; one seed gives one model."""
    torch.manual_seed(seed)
    model = SmallClip().eval().requires_grad_(False)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and "visual" in name:
                weight.normal_(std=0.15)
    return Backbone(
        name="small",
        folder=Path("small"),
        model=model,
        tokenizer=SmallTokenizer(),
        preprocessing=Preprocessing(SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), "bicubic"),
        logit_scale=20.0,
        architecture="timm-vit+hf-bert",
        sha256=f"{seed:064x}",
        parameters=sum(weight.numel() for weight in model.parameters()),
        device=torch.device("cpu"),
        config_sha256=f"{seed:064x}",
    )


def small_basis(backbone: Backbone) -> Basis:
    """Decompose every target of a small backbone."""
    targets = list_targets(backbone.model)
    matrices = {target.name: decompose(target.block(backbone.weight(target))) for target in targets}
    return Basis(targets, matrices, "fingerprint")


def moved_sigmas(basis: Basis, scale: float = 0.1, seed: int = 0) -> dict[str, np.ndarray]:
    """Return singular values moved at random by ``scale`` of their RMS, never negative."""
    generator = np.random.default_rng(seed)
    return {
        name: np.maximum(0, s0 + scale * np.sqrt(np.mean(s0**2)) * generator.normal(size=s0.shape)).astype(
            np.float32
        )
        for name, s0 in basis.sigma_base().items()
    }


def small_adapted(backbone: Backbone, basis: Basis, scale: float = 0.1) -> AdaptedModel:
    """Return a small adapted model with two classes."""
    return AdaptedModel(backbone, basis, moved_sigmas(basis, scale), CLASSES)


def made_head(classes: int = len(CLASSES), width: int = EMBEDDING, seed: int = 0) -> ClassHead:
    """Return a class head drawn at random, large enough to change every answer."""
    generator = np.random.default_rng(seed)
    offsets = generator.normal(scale=0.3, size=(classes, width)).astype(np.float32)
    return ClassHead(offsets, generator.normal(size=classes).astype(np.float32), start="linear_probe")


def with_head(adapted: AdaptedModel) -> AdaptedModel:
    """Return a small adapted model with a class head beside its singular values."""
    return AdaptedModel(
        adapted.backbone,
        adapted.basis,
        adapted.sigmas,
        adapted.classes,
        adapted.temperature,
        made_head(len(adapted.classes)),
    )


def noise_images(count: int, seed: int = 0) -> Tensor:
    """Return images (count, 3, SIZE, SIZE) of normal noise."""
    return torch.randn((count, 3, SIZE, SIZE), generator=torch.Generator().manual_seed(seed))
