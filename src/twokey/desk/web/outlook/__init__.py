"""What may happen next."""
