"""Series put together by where their slices lie, with a flag for whatever is irregular."""
