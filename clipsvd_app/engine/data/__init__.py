"""Images as the model takes them, their frozen features, and who trains and who tests."""
