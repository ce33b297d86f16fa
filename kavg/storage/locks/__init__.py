"""Advisory locks of folders, and the identity of the processes that hold them."""
