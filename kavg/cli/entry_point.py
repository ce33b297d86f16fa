"""The command line from its beginning to its exit code, the same in one process and on ranks.

Rank 0 speaks and writes; every rank computes.  ``kavg.commands`` has the commands, ``kavg.world``
the ranks.

Exit codes: 0 fine, 1 the run failed, 2 the input is wrong, 3 a verdict is violated; 143 and 130
after SIGTERM and SIGINT.
"""

from __future__ import annotations

import io
import os
import sys
import time
import traceback
from typing import Final

import typer

from kavg.base import Communicator
from kavg.cli.app import app
from kavg.engine.communicator import SerialComm
from kavg.errors import CollectiveError, KavgError
from kavg.mpi.collective import abort
from kavg.mpi.comm_world import join_world, load_mpi
from kavg.mpi.launchers import Launch, detect_launch, is_reporting_copy
from kavg.mpi.signals import SignalExit, handle_signals, ignore_signals, raise_signal_exit
from kavg.mpi.startup import finalize_mpi
from kavg.mpi.watched_comm import WatchedComm

LINGER: Final = 1.0
"""Seconds that copies stay which do not find each other."""


def speak_once(comm: Communicator) -> None:
    """Only rank 0 prints; a rank that fails finds the real stderr in ``sys.__stderr__``.

    A letter that the terminal cannot show is escaped: it must not end a run.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if comm.Get_rank() > 0:
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good


def main() -> None:
    """Run the command line and leave with its exit code."""
    comm: Communicator = SerialComm()
    try:
        with handle_signals(raise_signal_exit):
            try:
                comm = join_world()
            except KavgError as fault:
                if sys.argv[1:2] != ["doctor"]:
                    sys.exit(no_rank(fault, detect_launch()))
            speak_once(comm)
            asked = app(standalone_mode=False, obj=comm)
            code = asked() if callable(asked) else asked
    except BaseException as error:
        code = ended_by(error, comm)
    if isinstance(comm, WatchedComm):
        finalize_mpi(load_mpi(), comm)
    sys.exit(code or 0)


def no_rank(fault: KavgError, launch: Launch | None) -> int:
    """The exit code of a process that is no rank of a world; of several copies one says why.

    All stay until that is said and passed on: some launchers end all copies once one has left.
    """
    code = complain(fault) if is_reporting_copy(launch) else fault.code
    if launch is not None:
        ignore_signals()
        time.sleep(LINGER)
    return code


def ended_by(error: BaseException, comm: Communicator) -> int:
    """The exit code for what ended the command, which is said; a crash ends every rank."""
    if isinstance(error, KavgError):
        if comm.Get_size() == 1 or isinstance(error, CollectiveError):
            return complain(error)
        abort(comm, str(error), error.code)
        return error.code
    if isinstance(error, SignalExit):
        return leave(error, comm)
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # usage: typer hides the class
        error.show()
        return int(error.exit_code)
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        abort(comm, "interrupted; no half-written folder is left", 130)
        return 130
    if isinstance(error, MemoryError):
        abort(comm, f"out of memory ({error}); take fewer replicas or record fewer rounds", 1)
        return 1
    if isinstance(error, SystemExit) and comm.Get_size() == 1:
        return error.code if isinstance(error.code, int) else 1
    abort(comm, "".join(traceback.format_exception(error)).rstrip(), 1)
    return 1


def leave(ended: SignalExit, comm: Communicator) -> int:
    """The exit code of a signal; a rank that was alone with it ends the others."""
    if ended.collective:
        typer.echo(f"kavg: {ended.message}", err=True)
    else:
        abort(comm, ended.message, ended.code)
    return ended.code


def complain(fault: KavgError) -> int:
    """Say what is wrong with the input, or why the run failed."""
    typer.echo(f"kavg: {fault}", err=True)
    return fault.code
