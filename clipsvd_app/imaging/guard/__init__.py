"""Protection from hostile files: decoding workers with limits, silenced libraries, refusals."""
