"""A tiny backbone and images that it can learn to tell apart, for every test of the engine."""

from support.striped_images import (  # noqa: F401
    backbone,
    basis,
    disc_classes,
    disc_examples,
    draw_disc,
    studies,
    tiny_folder,
)
