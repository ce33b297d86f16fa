"""Objectives that are means over examples: an abstract base, and one objective a module."""
