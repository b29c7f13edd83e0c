"""What waits for whom, one case, and the form that opens it."""
