"""How good a method is on patients it has not seen: figures, intervals, verdicts, and when not to trust."""
