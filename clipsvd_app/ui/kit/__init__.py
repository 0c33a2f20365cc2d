"""Parts that belong to no single page."""
