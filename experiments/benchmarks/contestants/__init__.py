"""The programs that are timed, one a module."""
