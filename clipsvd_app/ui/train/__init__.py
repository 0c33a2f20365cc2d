"""The Train page: what will be learned, the run as it goes, and the runs so far."""
