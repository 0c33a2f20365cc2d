"""What each figure says, as plain values: the window and the report draw them, each in its own way."""
