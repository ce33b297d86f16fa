"""``kavg plot``: what it draws of run folders and of sweep folders."""
