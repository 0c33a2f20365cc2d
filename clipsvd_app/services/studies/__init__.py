"""Studies come in: files found, patients distinguished, series arranged, copies recognised."""
