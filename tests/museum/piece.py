"""``kavg check`` with a fault planted: exit code 3 says that the theorem saw it.

``PYTHONPATH=tests python -m museum.piece [FAULT [FOLDER]]``, where a fault is a name in
``docs/museum.md`` and without one the program is as it is.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from museum.variants import VARIANTS

from kavg.cli import entry_point as cli

SETTINGS = Path(__file__).with_name("piece.toml")


def main(fault: str = "", folder: str = "runs/piece") -> None:
    """Leave with the exit code of ``kavg check``."""
    plants = {variant.name: variant.plant for variant in VARIANTS}
    if fault and fault not in plants:
        sys.exit(f"there is no fault {fault!r}; there are: {', '.join(plants)}")
    asked = ["kavg", "check", str(SETTINGS), "--out", folder, "--force", "--quiet"]
    with plants.get(fault, nullcontext)(), patch.object(sys, "argv", asked):
        cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
