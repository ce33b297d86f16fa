"""Objectives whose coordinates act on each other: products, valleys and layers."""
