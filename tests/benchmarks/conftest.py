"""The tiny backbone of the engine's tests."""

from support.striped_images import (  # noqa: F401
    backbone,
    basis,
    disc_classes,
    disc_examples,
    studies,
    tiny_folder,
)
