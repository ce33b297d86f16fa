"""Time kavg against other libraries, a plain loop and the least that NumPy could take."""
