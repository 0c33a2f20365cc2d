"""Adding files: what was dropped, and who the patients are."""
