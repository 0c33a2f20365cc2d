"""Taking in a model as people have it: found, read safely, checked, and written as a complete folder."""
