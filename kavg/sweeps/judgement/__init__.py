"""Finished points: their scores, which of them go on, and the winners with their intervals."""
