"""A person's notices and subscriptions."""
