"""One file for each kind of job: a request in, a result and its files out."""
