"""What adaptation changed inside the towers: heads, directions, contributions."""
