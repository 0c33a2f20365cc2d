"""The window without a project: recent ones, and making one from what is dropped."""
