"""Between views and services: the project becomes a page's state, and signals become changes."""
