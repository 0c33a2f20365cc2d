"""CLIP-SVD Studio: teach a biomedical vision-language model from a handful of labelled images."""

__version__ = "0.1.0"
