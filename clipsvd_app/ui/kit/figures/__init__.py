"""Figures and tables in the window: drawn, zoomed, read by mouse and keys, saved."""
