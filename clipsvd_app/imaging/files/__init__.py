"""Files as they lie on the disk: opened, told apart, found and hashed."""
