"""What every page shares: frame, words, numbers, doors."""
