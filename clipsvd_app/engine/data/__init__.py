"""Images as the model takes them, their frozen features, and splits into training and test."""
