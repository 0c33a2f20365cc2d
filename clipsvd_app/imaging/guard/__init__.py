"""Protection from hostile files: decoding workers with limits, silence, refusals."""
