"""What the program is about, in plain Python: classes, labels, splits, recipes and results."""
