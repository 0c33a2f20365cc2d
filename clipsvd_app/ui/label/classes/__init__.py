"""The class bins."""
