"""Diagnosis of the environment for ``kavg doctor``, item by item; works without MPI too."""
