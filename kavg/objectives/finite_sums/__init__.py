"""Objectives that are means over examples: an abstract base, and one family a module."""
