"""What a chip is: the catalogue of accelerators, their TPP and performance density."""
