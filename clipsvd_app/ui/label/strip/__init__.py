"""The film strip: the pool of images in the order that was asked for."""
