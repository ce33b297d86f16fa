"""The command ``kavg``."""

from kavg.cli.entry_point import main

__all__ = ["main"]
