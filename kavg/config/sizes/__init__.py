"""Sizes of settings: the memory that they need, and numbers that cannot be counted."""
