"""What users read, in one place: numbers, counts and sentences."""
