"""The device that computes: CPU or GPU, its precision, and what happens when it is full."""
