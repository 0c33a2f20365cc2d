"""The window: dumb views (setters down, signals up) and the controllers that join them to a project."""
