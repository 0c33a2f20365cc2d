"""The Inspect page: how much adaptation helped, and the cases behind every number."""
