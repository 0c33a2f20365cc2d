"""The few-shot benchmark on any labelled folder."""
