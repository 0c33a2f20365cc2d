"""Commands for a project: its images, labels and report."""
