"""The Inspect page: what adaptation bought, and the cases behind every number."""
