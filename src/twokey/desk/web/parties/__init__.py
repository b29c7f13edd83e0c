"""Parties, their owners, and what screening found."""
