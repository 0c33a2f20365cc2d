"""The difference of an exported model from its adapter, on synthetic images that anyone can generate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from clipsvd_app.adapter_file.generator import canary_image
from clipsvd_app.engine.backbone.folder import read_folder
from clipsvd_app.engine.backbone.prompts import TOKENS_AT_ONCE, PromptBatch, prompt_batch
from clipsvd_app.engine.data.images import normalise

if TYPE_CHECKING:
    from torch import Tensor, nn

    from clipsvd_app.engine.backbone.folder import Preprocessing
    from clipsvd_app.engine.sigma.adapted import AdaptedModel

# Eight synthetic images of the canaries' generator; a receiver can compute the same ones.
SEEDS = tuple(range(1, 9))


def parity_pixels(preprocessing: Preprocessing) -> Tensor:
    """Return the synthetic images of ``SEEDS``: (images, 3, size, size) uint8."""
    side = preprocessing.size
    images = [torch.from_numpy(canary_image(seed, side, side)).permute(2, 0, 1) for seed in SEEDS]
    return torch.stack(images).contiguous()


def adapted_logits(adapted: AdaptedModel) -> Tensor:
    """Return the adapted model's logits for the synthetic images: (images, classes)."""
    return _logits(adapted, adapted.model, prompt_batch(adapted.backbone, adapted.classes))


def logit_difference(adapted: AdaptedModel, model: nn.Module) -> float:
    """Return the largest difference between the logits of the adapted model and of another open_clip model.

    The other model embeds the prompts itself, so that both towers are compared, and at the full length,
    because open_clip's own text tower takes no shorter ones.
    """
    text = read_folder(adapted.backbone.folder).text
    prompts = prompt_batch(adapted.backbone, adapted.classes)
    missing = text.context_length - prompts.tokens.shape[1]
    padded = functional.pad(prompts.tokens, (0, missing), value=text.pad_id)
    rows = padded.split(max(1, TOKENS_AT_ONCE // text.context_length))
    full = replace(prompts, tokens=padded, cuts=tuple((len(part), text.context_length) for part in rows))
    return float((_logits(adapted, model, full) - adapted_logits(adapted)).abs().max())


def _logits(adapted: AdaptedModel, model: nn.Module, prompts: PromptBatch) -> Tensor:
    backbone = adapted.backbone
    pixels = parity_pixels(backbone.preprocessing).to(backbone.device)
    # TF32 convolutions, the default on recent GPUs, would hide differences of the export.
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        images = model.encode_image(normalise(pixels, backbone.preprocessing))  # type: ignore[operator]
        classes = prompts.class_embeddings(model)
        unit = functional.normalize(images.float(), dim=-1)
        if (head := adapted.head) is None:
            return (backbone.logit_scale * unit @ classes.T).cpu()
        # The head is no part of the other model: it is applied to both alike, as an export's README does.
        return (backbone.logit_scale * unit @ head.class_vectors(classes).T + head.bias_like(classes)).cpu()
