"""Studies come in: files found, patients told apart, series arranged, copies recognised."""
