"""Heat maps: where in the image a prediction comes from, each with its control."""
