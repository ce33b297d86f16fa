"""Sweeps on the command line: run, shown, written, resumed and verified."""
