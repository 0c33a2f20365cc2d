"""Fitting singular values to a handful of labelled images: one recipe, from images to trained numbers."""
