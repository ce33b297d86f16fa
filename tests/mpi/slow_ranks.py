"""The command line with rounds that take ``argv[1]`` seconds, and no pictures.

Ranks leave their process numbers in ``ranks/``, where there is such a folder.
"""

import os
import sys
import time
from pathlib import Path

from kavg.cli import results
from kavg.cli.entry_point import main
from kavg.engine.local.local_steps import LocalSteps

displacement = LocalSteps.displacement


def slow(self, learners, start, steps, *rest, **named):
    time.sleep(seconds)
    return displacement(self, learners, start, steps, *rest, **named)


if __name__ == "__main__":
    seconds = float(sys.argv.pop(1))
    rank = os.environ.get("PMI_RANK") or os.environ.get("OMPI_COMM_WORLD_RANK", "0")
    if Path("ranks").exists():
        Path("ranks", rank).write_text(str(os.getpid()))
    LocalSteps.displacement = slow
    results.write_figures = lambda *_: []
    main()
