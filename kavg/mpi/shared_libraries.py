"""MPI libraries that are installed but not found by mpi4py.

The wheel of mpi4py looks for ``libmpi.so.12`` (MPICH) and ``libmpi.so.40`` (Open MPI) where the
system looks for libraries.  Debian's MPICH has another name, and some systems need a module loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

PATTERNS: Final = (
    "usr/lib/*/libmpich.so.*",
    "usr/lib/*/mpich*/lib/libmpi*.so.*",
    "usr/lib64/mpich*/lib/libmpi.so.*",
    "usr/lib64/openmpi*/lib/libmpi.so.*",
    "usr/lib64/mpi/gcc/*/lib64/libmpi.so.*",
    "usr/lib/*/openmpi/lib/libmpi.so.*",
    "usr/lib*/libmpich.so.*",
    "usr/lib*/mpich*/lib/libmpi.so.*",
    "usr/local/lib/libmpi.so.*",
    "opt/*/lib/libmpi.so.*",
)
"""Places of distributions, from the root: Debian, Fedora, SUSE, Alpine, and those built by hand."""


def find_library_file(root: Path = Path("/")) -> Path | None:
    """Return an MPI library in a place where distributions put one, or None."""
    for pattern in PATTERNS:
        # The shortest name is that of the interface, as libmpich.so.12 beside libmpich.so.12.2.1.
        found = sorted(root.glob(pattern), key=lambda path: (len(path.name), path.name))
        if found:
            return found[0]
    return None


def advise_on_library(root: Path = Path("/")) -> str | None:
    """Return a shell command by which mpi4py finds the library; None if there is none.

    mpi4py opens a library of another name too (``MPI4PY_LIBMPI``), but its own extension is linked
    to ``libmpi.so.12``; so the library of Debian needs a link of that name.
    """
    found = find_library_file(root)
    if found is None:
        return None
    if found.name.startswith("libmpi."):
        return f"export LD_LIBRARY_PATH={found.parent}:$LD_LIBRARY_PATH"
    link = f"mkdir -p $HOME/mpich && ln -sf {found} $HOME/mpich/libmpi.so.12"
    return f"{link} && export LD_LIBRARY_PATH=$HOME/mpich:$LD_LIBRARY_PATH"
