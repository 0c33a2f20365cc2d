"""Releases that the program knows by the hash of their file."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class KnownRelease:
    """What belongs to one file of weights; ``config`` stands in where the file's own is missing."""

    title: str
    vocabulary_sha256: str = ""
    config: dict[str, Any] = field(default_factory=dict)


# As published with the weights: microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224 on huggingface.co.
BIOMEDCLIP_CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 512,
        "vision_cfg": {
            "timm_model_name": "vit_base_patch16_224",
            "timm_model_pretrained": False,
            "timm_pool": "",
            "timm_proj": "linear",
            "image_size": 224,
        },
        "text_cfg": {
            "hf_model_name": "microsoft/BiomedNLP-PubMedBERT-base-uncased-abstract",
            "hf_tokenizer_name": "microsoft/BiomedNLP-PubMedBERT-base-uncased-abstract",
            "hf_proj_type": "mlp",
            "hf_pooler_type": "cls_last_hidden_state_pooler",
            "context_length": 256,
        },
    },
    "preprocess_cfg": {
        "mean": [0.48145466, 0.4578275, 0.40821073],
        "std": [0.26862954, 0.26130258, 0.27577711],
    },
}
# Of the 28,895 pieces, one a line; see tokenizing.vocabulary_sha256.
BIOMEDCLIP_VOCABULARY = "7b36651908a88bc38bda41b728b2a598191e0d3b553cbacf7b1e5f026d5b5b9f"

KNOWN_RELEASES = MappingProxyType(
    {
        "8792dba76fc3a96544a87bb0f76c82167b4ba509d57c08b98b9c9266f764598b": KnownRelease(
            "BiomedCLIP of June 2023", BIOMEDCLIP_VOCABULARY, BIOMEDCLIP_CONFIG
        ),
        # what public projects record for the hub's commit 9f341de24bfb
        "52cc993c5c5ff962bd0c60931874bc001e7e9b41666a385530f4a036294576be": KnownRelease(
            "BiomedCLIP", BIOMEDCLIP_VOCABULARY, BIOMEDCLIP_CONFIG
        ),
    }
)
