"""Objectives over examples."""
