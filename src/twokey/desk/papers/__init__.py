"""Documents of the desk as PDF."""
