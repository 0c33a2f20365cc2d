"""The sigma adapter file, format 1: read, write, check and show it with numpy alone, without torch."""
