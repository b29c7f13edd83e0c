"""The performance model: one function per phase, each over whole columns of configurations at once.

Every argument is a column (a NumPy array) or a single number that broadcasts against the others; one call answers one
configuration or a million. Times are seconds, rates are tokens a second.
"""
