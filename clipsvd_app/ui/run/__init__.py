"""What pages that show a run have in common."""
