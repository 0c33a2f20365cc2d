"""The sigma adapter file, format 1: read, write, check and show it with numpy alone, without torch."""

from clipsvd_app.adapter_file.base_hash import canonical_sha256
from clipsvd_app.adapter_file.card import card_text
from clipsvd_app.adapter_file.content import AdapterContent, Spectrum
from clipsvd_app.adapter_file.reading import read_adapter
from clipsvd_app.adapter_file.writing import write_adapter

__all__ = ["AdapterContent", "Spectrum", "canonical_sha256", "card_text", "read_adapter", "write_adapter"]
