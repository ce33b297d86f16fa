"""What ``kavg doctor`` does: look at one item after another; nothing is changed or left."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from kavg.base import Communicator
from kavg.cli.doctor.finding import Finding, findings_table, fine, wrong
from kavg.cli.doctor.machine import (
    about_blas,
    about_cores,
    about_room,
    about_versions,
    about_writing,
    cores,
)
from kavg.cli.doctor.mpi_library import about_launcher, about_library, launcher, loaded_library
from kavg.cli.doctor.selftest import NAME, on_these_ranks, on_two_ranks
from kavg.cli.output import say
from kavg.mpi.launchers import detect_launch, is_reporting_copy

MOST: Final = 4096
"""Cores that a machine is taken to have at most."""


def doctor(comm: Communicator, load: Callable[[], str], fault: str | None) -> int:
    """Print the table; 1 if something is wrong.

    ``load`` gives the words of the MPI library on itself; ``fault`` is why this process, though a
    launcher started it, is no rank of a world.
    """
    if fault and not is_reporting_copy(detect_launch()):
        return 0
    mpi, mpiexec = loaded_library(load), launcher()
    ranks, here = on_this_machine(comm)
    findings = [
        about_versions(),
        about_library(mpi),
        about_launcher(mpi, mpiexec),
        about_cores(ranks, here, mpiexec),
        about_blas(ranks, here),
        about_writing(Path.cwd()),
        about_room(Path.cwd()),
    ]
    if fault:
        findings.append(about_fault(fault))
    elif comm.Get_size() > 1:
        findings.append(on_these_ranks(comm))
    elif detect_launch() is not None:
        findings.append(alone_under_a_launcher())
    else:
        findings.append(on_two_ranks(mpi, mpiexec))
    say(findings_table(findings))
    return int(not all(each.fine for each in findings))


def about_fault(fault: str) -> Finding:
    """A fault in words for the command line, as a row; whom it sends to the doctor is there."""
    first, *others = fault.splitlines()
    advice = [line.strip() for line in others if "kavg doctor" not in line]
    return wrong("launcher", first.rstrip(":"), "\n".join(advice))


def alone_under_a_launcher() -> Finding:
    """One rank, which must not start a launcher inside of another."""
    return fine(NAME, "not run: a launcher started this one rank", "start it without mpiexec")


def on_this_machine(comm: Communicator) -> tuple[int, int]:
    """How many ranks are on this rank's machine, and how many cores they have together."""
    mine = np.zeros(32 + MOST // 8, np.uint8)
    mine[:32] = np.frombuffer(hashlib.sha256(platform.node().encode()).digest(), np.uint8)
    allowed = np.zeros(MOST, np.uint8)
    allowed[[core for core in cores() if core < MOST]] = 1
    mine[32:] = np.packbits(allowed)
    everyone = np.empty((comm.Get_size(), len(mine)), np.uint8)
    comm.Allgather(mine, everyone)
    ours = everyone[(everyone[:, :32] == mine[:32]).all(axis=1)]
    together = np.bitwise_or.reduce(ours[:, 32:], axis=0)
    return len(ours), int(np.unpackbits(together).sum())
