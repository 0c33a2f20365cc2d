"""Series sorted by the position of their slices, with a flag for every irregularity."""
