"""Fitting singular values to a handful of labelled pictures: one recipe, from pictures to trained numbers."""
