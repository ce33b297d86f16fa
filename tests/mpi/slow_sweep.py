"""The command line with rounds of a sweep that take ``argv[1]`` seconds."""

import sys
import time

from kavg.cli.entry_point import main
from kavg.cli.sweeps.execution import StageObserver

on_round = StageObserver.on_round


def slow(self, batch, n):
    time.sleep(seconds)
    on_round(self, batch, n)


if __name__ == "__main__":
    seconds = float(sys.argv.pop(1))
    StageObserver.on_round = slow
    main()
