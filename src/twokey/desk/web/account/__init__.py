"""Signing in, a second factor, and proof of presence."""
