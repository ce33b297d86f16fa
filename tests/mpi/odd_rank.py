"""The command line with one rank that is not as the others: ``odd_rank.py FAULT RANK run ...``.

``stops``, ``stops_at_start``, ``stops_at_end`` and ``pauses`` stop it as SIGSTOP does, for good or
for a while; ``is_late`` keeps it at work, ``is_late_at_end`` where it writes; ``drifts`` changes a
bit of its model in round 3; ``other_numpy`` makes it believe in another NumPy.
"""

import os
import signal
import sys
import time

import numpy as np

from kavg.cli import entry_point as cli
from kavg.cli import execution as jobs
from kavg.engine.local.local_steps import LocalSteps
from kavg.mpi.launchers import detect_launch
from kavg.mpi.watched_comm import WatchedComm
from kavg.outer import Averaging

ROUND = 3
PAUSE = 3.0


def stop():
    os.kill(os.getpid(), signal.SIGSTOP)


def pause():
    child = os.fork()
    if child == 0:
        time.sleep(PAUSE)
        os.kill(os.getppid(), signal.SIGCONT)
        os._exit(0)
    stop()
    os.waitpid(child, 0)


def in_round_3(act):
    displacement = LocalSteps.displacement

    def faulty(self, learners, start, steps, *rest, **named):
        if steps.n == ROUND:
            act()
        return displacement(self, learners, start, steps, *rest, **named)

    LocalSteps.displacement = faulty


def first(owner, name, act):
    honest = getattr(owner, name)
    setattr(owner, name, lambda *given, **named: (act(), honest(*given, **named))[1])


def drift():
    step, due = Averaging.step, []

    def faulty(self, w, v, displacement, gamma):
        step(self, w, v, displacement, gamma)
        if due:  # not by calls: a rule is also called before the first round, to see what it does
            w[0, 0] = np.nextafter(w[0, 0], np.inf)
            due.clear()

    Averaging.step = faulty
    in_round_3(lambda: due.append(None))


FAULTS = {
    "stops": lambda: in_round_3(stop),
    "pauses": lambda: in_round_3(pause),
    "is_late": lambda: in_round_3(lambda: time.sleep(60)),
    "stops_at_start": lambda: first(jobs, "load_config", stop),
    "stops_at_end": lambda: first(WatchedComm, "close", stop),
    "is_late_at_end": lambda: first(jobs, "write_results", lambda: time.sleep(6)),
    "drifts": drift,
    "other_numpy": lambda: setattr(jobs, "installed_version", lambda name: "1.0"),
}

if __name__ == "__main__":
    fault, rank = sys.argv.pop(1), int(sys.argv.pop(1))
    if detect_launch().rank == rank:
        FAULTS[fault]()
    cli.main()
