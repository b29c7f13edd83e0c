"""The command `twokey`: parses, calls the rooms, prints."""
