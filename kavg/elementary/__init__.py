"""Elementary functions and sums of operations whose every bit IEEE 754 or integer arithmetic fixes.

NumPy's ``tanh``, ``sin``, ``log``, ``exp`` and its sums along rows have other last bits on another
processor.  Here only additions, products, quotients, square roots, roundings, shifts, comparisons
and table look-ups are used, so the bits are the same on any machine, and of any slice of the rows.
"""
