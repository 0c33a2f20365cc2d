"""An open_clip folder as a loaded model: checked before use, offline, in fp32 and evaluation mode."""

from __future__ import annotations

import hashlib
import json
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.adapter_file.base_hash import canonical_sha256
from clipsvd_app.engine.backbone.architectures import architecture_of
from clipsvd_app.engine.backbone.folder import BackboneFolder, Preprocessing, read_folder
from clipsvd_app.engine.backbone.plain_attention import use_plain_attention
from clipsvd_app.engine.backbone.quick_build import NoRandomNumbers
from clipsvd_app.engine.backbone.short_text import take_short_texts
from clipsvd_app.engine.backbone.tokenizer import TOKENIZER_FILES, Tokenizer, load_tokenizer
from clipsvd_app.engine.backbone.weights import fit_state, read_state, state_sha256
from clipsvd_app.engine.device import torch_setup
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


# What open_clip, timm and transformers raise for a configuration that describes no model.
_FAULTS = (RuntimeError, ValueError, TypeError, KeyError, AttributeError, OSError, AssertionError)


@dataclass(frozen=True, slots=True)
class Backbone:
    """A loaded model with its tokenizer and preprocessing. Its tensors are never changed.

    ``logit_scale`` is the factor on cosines (already exponentiated); ``parameters`` counts all numbers.
    """

    name: str
    folder: Path
    model: nn.Module
    tokenizer: Tokenizer
    preprocessing: Preprocessing
    logit_scale: float
    architecture: str
    sha256: str
    parameters: int
    device: torch.device
    config_sha256: str
    """Hash of all but the weights that an embedding depends on: ``config_hash``."""

    @property
    def fingerprint(self) -> str:
        """The key of embeddings in caches: weights, configuration and device, all of which change them."""
        return f"{self.sha256}-{self.config_sha256[:32]}-{self.device.type}"

    def weight(self, target_or_path: Any) -> Tensor:  # noqa: ANN401 - a Target or a module path
        """Return the weight of a module, whole, given its path or one of its targets."""
        path = getattr(target_or_path, "module_path", target_or_path)
        return cast("Tensor", self.model.get_submodule(path).weight)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Return token ids (texts, longest) int64, padded to the longest of the batch."""
        return self.tokenizer(texts).to(self.device)


def load_backbone(folder: Path, device: torch.device | str = "cpu", name: str = "") -> Backbone:
    """Load an open_clip folder after checking its configuration, tokenizer and preprocessing.

    Refuses what open_clip would silently load wrong: a missing tokenizer or vocabulary, a missing
    preprocessing, weights that do not fit the configuration.
    """
    checked = read_folder(folder)
    tokenizer = load_tokenizer(checked)
    model = _create(checked).to(device)
    logit_scale = cast("Tensor", model.logit_scale)
    return Backbone(
        name=name or folder.name,
        folder=folder,
        model=model,
        tokenizer=tokenizer,
        preprocessing=checked.preprocessing,
        logit_scale=float(logit_scale.detach().exp()),
        architecture=architecture_of(model).name,
        sha256=_weights_sha256(checked.weights),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        device=torch.device(device),
        config_sha256=config_hash(checked),
    )


def config_hash(checked: BackboneFolder) -> str:
    """Hash all but the weights that embeddings depend on: configuration, tokenizer and library versions.

    Equal weights with a corrected configuration must share nothing that was computed with the wrong one.
    """
    names = ("open_clip_config.json", *TOKENIZER_FILES)
    facts = [[_file_hash(checked.folder / name) for name in names], torch_setup.versions()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def embed_images(model: nn.Module, images: Tensor) -> Tensor:
    """Return unit image embeddings (images, width) of preprocessed images (images, 3, size, size)."""
    return functional.normalize(model.encode_image(images).float(), dim=-1)  # type: ignore[operator]


def embed_texts(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return unit text embeddings (texts, width) of token ids (texts, length)."""
    return functional.normalize(model.encode_text(tokens).float(), dim=-1)  # type: ignore[operator]


def require_finite(embeddings: Tensor) -> Tensor:
    """Return embeddings unchanged, or refuse a model that gives NaN or infinity."""
    if not bool(embeddings.isfinite().all()):
        raise UserError(
            "The model produces non-finite values.",
            remedy="Its weights may be damaged. Download the model again, or choose another one.",
            code="not_finite",
        )
    return embeddings


def build_model(checked: BackboneFolder) -> nn.Module:
    """Build the model that a folder's configuration describes, with its initial values."""
    open_clip = torch_setup.import_open_clip()
    config = dict(checked.model_config)
    custom = config.pop("custom_text", False) or checked.text.tokenizer_kind == "hf"
    with _faults_of_configuration(checked), warnings.catch_warnings():
        # Warnings of the libraries are meant for programmers; what is wrong is refused or raised.
        warnings.simplefilter("ignore")
        model = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**config)
    return cast("nn.Module", model)


def _create(checked: BackboneFolder) -> nn.Module:
    with NoRandomNumbers():
        model = build_model(checked)
    fit_state(model, read_state(checked.weights), checked.folder.name)
    if hasattr(model.visual, "trunk"):
        # timm builds a ViT at the size in its name, whatever the configuration says.
        with _faults_of_configuration(checked):
            cast("Any", model.visual).set_input_size(checked.preprocessing.size)
    # The weights first: they are stored under the names of open_clip's own modules.
    return take_short_texts(use_plain_attention(model.eval().requires_grad_(False)))


@contextmanager
def _faults_of_configuration(checked: BackboneFolder) -> Iterator[None]:
    """Turn errors of open_clip, timm or transformers about a configuration into one sentence."""
    from huggingface_hub.errors import StrictDataclassError

    try:
        yield
    except (*_FAULTS, StrictDataclassError) as error:
        raise UserError(
            f"The configuration of the backbone “{checked.folder.name}” describes an unknown model.",
            remedy="Download the folder again, or update the program.",
            code="backbone_config",
        ) from error


def _file_hash(file: Path) -> str:
    """Return the hash of a file of the configuration, "" where the backbone has none of that name."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _weights_sha256(weights: Path) -> str:
    """Return the canonical hash of the weights, the same for ``.bin`` and safetensors."""
    if weights.suffix == ".safetensors":
        return canonical_sha256(weights)
    return state_sha256(read_state(weights))
