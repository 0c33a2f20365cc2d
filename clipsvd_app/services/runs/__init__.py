"""Runs: preview, training, explanations, and what weakens an estimate."""
