"""Few-shot figures on any labelled folder."""
