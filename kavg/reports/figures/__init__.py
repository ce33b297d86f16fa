"""Figures: trajectories, verdicts and exact moments."""
