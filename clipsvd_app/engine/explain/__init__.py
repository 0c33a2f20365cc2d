"""Why the model answers as it does: corpus, concepts, directions, occlusion, and their controls."""
