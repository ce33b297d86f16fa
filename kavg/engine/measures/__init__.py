"""Measures of a run: their names, what they read of its rounds, and what they remember."""
