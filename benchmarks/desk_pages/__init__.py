"""A desk of any size, and the walk over its pages: `filling` writes the one, `walk` names the other.

`benchmarks/pages.py` times the walk; a test asserts that no page is missing from it, and that no page asks the database
more on a larger desk.
"""
