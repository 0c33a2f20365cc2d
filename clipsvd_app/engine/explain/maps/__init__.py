"""Where in the image an answer comes from, each map with its control."""
