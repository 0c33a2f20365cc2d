"""Pictures of numbers, drawn by QPainter in either theme, readable aloud and saved as files."""
