"""Why the model predicts what it does: concepts, directions, maps, phrases, each with its control."""
