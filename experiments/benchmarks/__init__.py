"""Timings beside other libraries: every contestant in turn on one core, and only ratios count."""
