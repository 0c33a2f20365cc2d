"""The tree of patients, studies and series."""
