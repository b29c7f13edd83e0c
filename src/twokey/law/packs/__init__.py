"""The packs that ship with Twokey; others are found through the entry point `twokey.packs`."""
