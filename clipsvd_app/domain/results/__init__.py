"""What a run leaves: figures, cases, explanations, and what follows from them."""
