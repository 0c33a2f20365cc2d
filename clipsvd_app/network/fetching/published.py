"""The models that can be fetched: repository, revision and hashes."""

from __future__ import annotations

from clipsvd_app.domain.records import Record


class PublishedFile(Record):
    """A file of a repository; ``sha256`` is empty where only the hub's own hash can be checked."""

    name: str
    sha256: str = ""


class Published(Record):
    """A model at one commit of its repository on the Hugging Face hub.

    ``pinned``: the hashes belong to this revision, and any other file is refused.
    """

    name: str
    title: str
    repository: str
    revision: str
    licence: str
    size_bytes: int
    files: tuple[PublishedFile, ...]
    pinned: bool = True


# Not read from the hub itself: revision, size and hash of the weights are those that public projects record
# for this commit. The configuration's hash is recorded beside those weights, and equals that of the 2023
# configuration with BiomedBERT's new name and the spellings of open_clip 3. The vocabulary is BiomedBERT's.
BIOMEDCLIP = Published(
    name="biomedclip",
    title="BiomedCLIP",
    repository="microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
    revision="9f341de24bfb00180f1b847274256e9b65a3a32e",
    licence="MIT",
    size_bytes=784_600_000,
    files=(
        PublishedFile(
            "open_clip_config.json", "9a41f334a8c444678772c0ebb9ab854c97ab350bced3a17b803e258d39c23dc0"
        ),
        PublishedFile("vocab.txt", "7b36651908a88bc38bda41b728b2a598191e0d3b553cbacf7b1e5f026d5b5b9f"),
        PublishedFile("tokenizer.json"),
        PublishedFile("tokenizer_config.json"),
        PublishedFile("special_tokens_map.json"),
        PublishedFile(
            "open_clip_pytorch_model.bin", "52cc993c5c5ff962bd0c60931874bc001e7e9b41666a385530f4a036294576be"
        ),
    ),
)
PUBLISHED = {BIOMEDCLIP.name: BIOMEDCLIP}
