"""Files of the services: job folders, outputs, tables, paths."""
