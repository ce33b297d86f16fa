"""The commands, one a module: the options, the help page, and what is called for it."""
