"""What is asked of the engine and what it answers: requests, results, and the JSON lines between."""
