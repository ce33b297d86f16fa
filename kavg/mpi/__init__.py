"""Ranks that begin together, agree, watch each other and end together."""
