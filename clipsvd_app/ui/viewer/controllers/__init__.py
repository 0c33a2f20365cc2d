"""Between the project and the viewer: frames, planes, measures, heat maps."""
