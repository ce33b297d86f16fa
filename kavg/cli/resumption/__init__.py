"""What completing a stopped run and completing a stopped sweep have in common."""
