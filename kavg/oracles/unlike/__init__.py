"""Oracles of learners whose functions differ by more than a linear term."""
