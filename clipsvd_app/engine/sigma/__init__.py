"""CLIP-SVD itself: decomposition, trainable singular values, adapters and the proof that they fit."""
