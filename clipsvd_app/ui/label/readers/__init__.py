"""A second reader."""
