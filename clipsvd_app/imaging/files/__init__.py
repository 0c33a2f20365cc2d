"""Files on the disk: found, unpacked and hashed."""
