"""The files that a run exports: read, written, checked and shown with numpy only, without torch.

The sigma adapter, formats 1 and 2, and the classifier on frozen features, format 1.
"""

from clipsvd_app.adapter_file.base_hash import canonical_sha256
from clipsvd_app.adapter_file.card import card_text
from clipsvd_app.adapter_file.class_head import HeadTensors
from clipsvd_app.adapter_file.content import AdapterContent, Spectrum
from clipsvd_app.adapter_file.frozen_classifier import ClassifierContent
from clipsvd_app.adapter_file.reader import read_adapter, read_exported
from clipsvd_app.adapter_file.writer import write_adapter

__all__ = [
    "AdapterContent",
    "ClassifierContent",
    "HeadTensors",
    "Spectrum",
    "canonical_sha256",
    "card_text",
    "read_adapter",
    "read_exported",
    "write_adapter",
]
