"""The founding case of 28 January 2026 as a desk that one can walk around in."""
