"""What the law says: dated rules as code, their assessment and their impact."""
