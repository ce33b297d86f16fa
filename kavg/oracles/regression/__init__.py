"""Oracles of regressions: examples that are drawn anew, and labels with noise."""
