"""Adapters: exported, converted, and applied to new images."""
