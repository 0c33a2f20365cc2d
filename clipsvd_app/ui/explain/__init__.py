"""The Explain page: what changed in the model, and why one case got its answer."""
