"""Labels: given, read from tables and folders, compared between readers, and what to label next."""
