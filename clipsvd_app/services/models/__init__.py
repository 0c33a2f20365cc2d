"""Models: backbones, their download, and packs of phrases."""
