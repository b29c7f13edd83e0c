"""What the law says, and what it would say."""
