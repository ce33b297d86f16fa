"""The command line with one fault: ``planted.py FAULT PHASE RANK AT run ...``.

The fault happens once, on that rank, in that phase; ``AT`` counts the rounds of all algorithms.
Other ranks wait a little where that makes sure that the faulty one is in the middle of it.  When
it happens, a file whose name is in ``KAVG_FAULT_MARK`` is written.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from kavg.cli import entry_point as cli
from kavg.cli import execution as jobs
from kavg.cli import results
from kavg.cli.supervisor import Supervisor
from kavg.engine.local.local_steps import LocalSteps
from kavg.engine.recorder import Recorder
from kavg.mpi.launchers import detect_launch
from kavg.mpi.watched_comm import WatchedComm
from kavg.storage import RunFolder, checkpoint_manager, checkpoints

ROUNDS = 12
INSIDE, LONGER = 0.2, 0.5
"""Seconds after which a fault comes inside a collective, and that the others hold it open."""


def fail():
    raise RuntimeError("a fault planted by a test")


def leave():
    sys.exit(7)


def send(name):
    os.kill(os.getpid(), getattr(signal, name))


def fill():
    """Leave no room on the disk that the job works on."""
    with open("filler", "wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def lock():
    """Make the disk that the job works on read-only; somebody may be writing at the moment."""
    for _ in range(50):
        if subprocess.run(["mount", "-o", "remount,ro", os.getcwd()], check=False).returncode == 0:
            return
        time.sleep(0.02)


FAULTS = {
    "exception": fail,
    "sys.exit": leave,
    **{name: lambda name=name: send(name) for name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP")},
    "full disk": fill,
    "unwritable folder": lock,
}


class Planted:
    """One fault in one phase of one rank."""

    def __init__(self, fault, phase, rank, at):
        self.fault, self.phase, self.at = fault, phase, at
        self.here, self.rank = detect_launch().rank == rank, rank
        self.done, self.armed, self.before = False, False, 0

    def act(self):
        if self.here and not self.done:
            self.done = True
            Path(os.environ["KAVG_FAULT_MARK"]).write_text(str(time.time()))
            FAULTS[self.fault]()

    def act_inside(self, call):
        """Act while ``call`` waits; what the interpreter itself raises comes instead of it."""
        if self.fault in ("exception", "sys.exit"):
            time.sleep(INSIDE)
            self.act()
        thread = threading.Timer(INSIDE, self.act)
        thread.start()
        call()
        thread.join()

    def plant(self):
        self.count_algorithms()
        getattr(self, self.phase.replace("-", "_").replace(" ", "_"))()

    def count_algorithms(self):
        run_algorithm = jobs.run_algorithm

        def counted(*given):
            run = run_algorithm(*given)
            self.before += ROUNDS
            return run

        jobs.run_algorithm = counted

    def is_round(self, n):
        return self.before + n == self.at

    def start_up(self):
        load = jobs.load_config
        jobs.load_config = lambda *given: (self.act(), load(*given))[1]

    def local_steps(self):
        displacement = LocalSteps.displacement

        def faulty(local, learners, start, steps, *rest, **named):
            if self.is_round(steps.n):
                self.act()
            return displacement(local, learners, start, steps, *rest, **named)

        LocalSteps.displacement = faulty

    def collective(self):
        displacement, allreduce = LocalSteps.displacement, WatchedComm.Allreduce

        def arming(local, learners, start, steps, *rest, **named):
            self.armed = self.armed or (not self.done and self.is_round(steps.n))
            return displacement(local, learners, start, steps, *rest, **named)

        def faulty(comm, sendbuf, recvbuf):
            if not self.armed or self.done:
                return allreduce(comm, sendbuf, recvbuf)
            if self.here:
                return self.act_inside(lambda: allreduce(comm, sendbuf, recvbuf))
            self.done = True
            # Where the fault comes instead of the call, the others are the ones that wait.
            time.sleep(0 if self.fault in ("exception", "sys.exit") else LONGER)
            return allreduce(comm, sendbuf, recvbuf)

        LocalSteps.displacement, WatchedComm.Allreduce = arming, faulty

    def recording(self):
        add = Recorder.add

        def faulty(recorder, now):
            if self.is_round(now.n):
                self.act()
            return add(recorder, now)

        Recorder.add = faulty

    def checkpoint(self):
        """In the middle of the file; a disk can be locked only while nothing is written on it."""
        to_bytes, write = checkpoints.encode_checkpoint, checkpoint_manager.write_checkpoint

        def faulty(checkpoint):
            first, rest = to_bytes(checkpoint)
            yield first
            yield rest[: len(rest) // 2]
            if checkpoint.done == self.at and self.fault != "unwritable folder":
                self.act()
            yield rest[len(rest) // 2 :]

        def before(folder, checkpoint):
            if checkpoint.done == self.at and self.fault == "unwritable folder":
                self.act()
            return write(folder, checkpoint)

        checkpoints.encode_checkpoint, checkpoint_manager.write_checkpoint = faulty, before

    def end(self):
        """While rank 0 writes the run folder: there, or where another rank waits for that."""
        if self.rank == 0:
            return self.end_on_rank_0()
        write_run, stop_if_requested, allgather = (
            RunFolder.write,
            Supervisor.stop_if_requested,
            WatchedComm.Allgather,
        )

        def slowly(folder, *given):
            time.sleep(LONGER)
            write_run(folder, *given)

        def arming(supervised):
            stop_if_requested(supervised)
            self.armed = self.here

        def faulty(comm, sendbuf, recvbuf):
            if not self.armed or self.done:
                return allgather(comm, sendbuf, recvbuf)
            return self.act_inside(lambda: allgather(comm, sendbuf, recvbuf))

        RunFolder.write, Supervisor.stop_if_requested, WatchedComm.Allgather = (
            slowly,
            arming,
            faulty,
        )
        return None

    def end_on_rank_0(self):
        if self.fault in ("full disk", "unwritable folder"):
            write_run = RunFolder.write
            RunFolder.write = lambda *given: (self.act(), write_run(*given))
        else:
            results.draw_if_possible = lambda draw: self.act()


if __name__ == "__main__":
    # A job in the background may have been told to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    results.draw_if_possible = lambda draw: None  # a picture takes seconds
    fault, phase, rank, at = (sys.argv.pop(1) for _ in range(4))
    Planted(fault, phase, int(rank), int(at)).plant()
    cli.main()
