"""All checks of ``kavg doctor`` in order; they change nothing and leave no files."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from kavg.base import Communicator
from kavg.cli.doctor.finding import Finding, findings_table, fine, wrong
from kavg.cli.doctor.machine import (
    check_blas,
    check_cores,
    check_disk_space,
    check_memory,
    check_versions,
    check_write_access,
    usable_cores,
)
from kavg.cli.doctor.mpi_library import (
    check_launcher,
    check_library,
    find_launcher,
    load_library,
)
from kavg.cli.doctor.selftest import NAME, try_these_ranks, try_two_ranks
from kavg.cli.output import print_text
from kavg.cli.session import Session
from kavg.mpi.comm_world import mpi_library_text
from kavg.mpi.launchers import detect_launch, is_reporting_copy

MOST: Final = 4096
"""Cores of a machine that are counted at most."""


def diagnose(session: Session, load: Callable[[], str] = mpi_library_text) -> int:
    """Print one row for each item; exit code 1 if any is wrong, else 0.

    ``load`` loads the MPI library and returns the library's own description.
    """
    if session.launch_error and not is_reporting_copy(detect_launch()):
        return 0
    findings = list(_check_items(session, load))
    print_text(findings_table(findings))
    return int(not all(each.fine for each in findings))


def _check_items(session: Session, load: Callable[[], str]) -> Iterator[Finding]:
    library, launcher = load_library(load), find_launcher()
    ranks, cores = count_ranks_and_cores(session.comm)
    yield check_versions()
    yield check_library(library)
    yield check_launcher(library, launcher)
    yield check_cores(ranks, cores, launcher)
    yield check_blas(ranks, cores)
    yield check_memory()
    yield check_write_access(Path.cwd())
    yield check_disk_space(Path.cwd())
    if session.launch_error:
        yield _describe_launch_error(session.launch_error)
    elif session.size > 1:
        yield try_these_ranks(session.comm)
    elif detect_launch() is not None:
        # One rank: it must not start a launcher inside of another.
        found = "not run: a launcher started this one rank"
        yield fine(NAME, found, "start it without mpiexec")
    else:
        yield try_two_ranks(library, launcher)


def _describe_launch_error(error: str) -> Finding:
    """Turn an error of several lines into a row, without its advice to run ``kavg doctor``."""
    first, *others = error.splitlines()
    advice = [line.strip() for line in others if "kavg doctor" not in line]
    return wrong("launcher", first.rstrip(":"), "\n".join(advice))


def count_ranks_and_cores(comm: Communicator) -> tuple[int, int]:
    """Count the ranks on this rank's machine and the cores they have together.

    One ``Allgather`` of a hash of the machine's name and a bit for each core.
    """
    # A hash, as an Allgather needs buffers of the same length and names differ in length.
    mine = np.zeros(32 + MOST // 8, np.uint8)
    mine[:32] = np.frombuffer(hashlib.sha256(platform.node().encode()).digest(), np.uint8)
    allowed = np.zeros(MOST, np.uint8)
    allowed[[core for core in usable_cores() if core < MOST]] = 1
    mine[32:] = np.packbits(allowed)
    everyone = np.empty((comm.Get_size(), len(mine)), np.uint8)
    comm.Allgather(mine, everyone)
    ours = everyone[(everyone[:, :32] == mine[:32]).all(axis=1)]
    together = np.bitwise_or.reduce(ours[:, 32:], axis=0)
    return len(ours), int(np.unpackbits(together).sum())
