"""Comparisons of methods at an equal budget: as text, JSON and LaTeX, with their warnings."""
