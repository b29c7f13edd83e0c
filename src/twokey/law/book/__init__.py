"""Many orders: a book of lines read in batches, through the same door as one order, into columns of answers.

A line is an order; a column is a fact, by its dotted name. Columns without a dot (`id`, `customer`) are carried through
to the result, `as_of` is the day of the line. `item.contains` is a list of structs, or in CSV the chips' names with
semicolons between. Memory is bounded by one batch, however long the book is.

`reading` yields frames as they stand in the file, `door` makes facts of them, `answering` asks the law, and `writing`
writes what it says.
"""

from twokey.law.book.answering import BookLaw
from twokey.law.book.door import admit_frame
from twokey.law.book.reading import read_book, size_of
from twokey.law.book.writing import assess_book, write_book

__all__ = ["BookLaw", "admit_frame", "assess_book", "read_book", "size_of", "write_book"]
