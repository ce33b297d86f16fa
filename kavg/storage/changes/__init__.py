"""Changes of folders that are made as a whole: their replacement, and files added to them."""
