"""Figures over settings that vary: curves, small multiples, heat maps, speed-ups, phase diagrams.

Each is a function of plain arrays; ``sweep_points`` makes these of the table of a sweep.
"""
