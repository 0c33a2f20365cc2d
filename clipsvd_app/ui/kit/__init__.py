"""Widgets and parts that belong to no page."""
