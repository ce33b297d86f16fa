"""``kavg compare``: folders to methods, options to a plan, and the results to files."""
