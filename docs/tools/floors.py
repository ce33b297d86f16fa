"""Print the table of floors of ``tests/test_layering.py`` for ``docs/design.md``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from test_layering import FLOORS

if __name__ == "__main__":
    print("| floor | who |\n|--:|---|")
    for floor in range(len(FLOORS), 0, -1):
        names = ["`kavg/__init__`" if n == "__init__" else f"`{n}`" for n in FLOORS[floor - 1]]
        print(f"| {floor} | {', '.join(sorted(names) if floor > 1 else names)} |")
