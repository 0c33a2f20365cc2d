"""One pane of the viewer: its image, its layers and its mouse."""
