"""Exact moments of methods whose learners carry more than the outer rule does.

``choose_moments`` finds the recursion of a method by its optimizer and its aggregation; one file
holds one recursion.
"""

from kavg.analysis.exact.methods.recursions import choose_moments as choose_moments
