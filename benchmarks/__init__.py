"""Measurements that print figures: ``python -m benchmarks NAME``."""
