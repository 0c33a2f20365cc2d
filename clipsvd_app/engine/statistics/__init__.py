"""How good a method is on unseen patients: metrics, intervals, verdicts, and when not to rely on it."""
