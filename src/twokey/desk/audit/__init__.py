"""What happened, in order, for good: events, signed documents, seals, and messages to the outside."""
