"""The law engine: provisions read from Python, compiled for one order, for many, for all, and into words.

Data flows one way: `define` collects functions, `read` turns each into a tree, `law` puts trees, dated parameters and
instruments together for one day, and four backends take it from there:

- `one`: a function for one order, in three-valued logic;
- `many`: Polars expressions, every provision a column;
- `diagram`: decision diagrams over every order that the law can tell apart, for exact answers and proofs;
- `words`: the same tree as an English or a Chinese sentence.
"""
