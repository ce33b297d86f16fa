"""``kavg doctor``: what a run needs of its environment, item by item; works with no MPI at all."""
