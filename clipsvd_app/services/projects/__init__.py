"""Projects: a new one from files, recent ones, and the demo."""
