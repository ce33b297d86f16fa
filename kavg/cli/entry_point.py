"""From the command line to the exit code, the same in one process and on MPI ranks.

Every rank computes; rank 0 prints and writes.  ``kavg.cli.app`` has the commands.

Exit codes: 0 success, 1 the run failed, 2 the input is wrong, 3 a bound is violated, 143 and 130
after SIGTERM and SIGINT.
"""

from __future__ import annotations

import io
import os
import sys
import time
import traceback
from contextlib import redirect_stderr, suppress
from typing import Any, Final

import typer

from kavg.base import Communicator
from kavg.cli.app import app
from kavg.cli.session import Session
from kavg.engine.communicator import SerialComm
from kavg.errors import CollectiveError, KavgError
from kavg.mpi.collective import abort
from kavg.mpi.comm_world import join_world, load_mpi
from kavg.mpi.launchers import Launch, detect_launch, is_reporting_copy
from kavg.mpi.signals import SignalExit, handle_signals, ignore_signals, raise_signal_exit
from kavg.mpi.startup import finalize_mpi
from kavg.mpi.watched_comm import WatchedComm

PROGRAM: Final = "kavg"
COMPLETION: Final = "_KAVG_COMPLETE"
"""The variable by which a shell asks for completions."""
LINGER: Final = 1.0
"""Seconds that copies stay which do not find each other."""


def main() -> None:
    """Run the command line and exit with its code.

    Raises ``SystemExit`` whatever happens, after all ranks have finalized MPI.
    """
    # Before MPI begins: a shell may ask inside a batch job.
    if COMPLETION in os.environ:
        _complete()
    session = Session(SerialComm())
    try:
        with handle_signals(raise_signal_exit):
            session = _start_session()
            _silence_other_ranks(session)
            action = _parse(session)
            # Typer has returned: from here on interrupts and errors are handled below alone.
            code = action() if callable(action) else action
    except BaseException as error:
        code = _exit_code_of(error, session.comm)
    if isinstance(session.comm, WatchedComm):
        finalize_mpi(load_mpi(), session.comm)
    sys.exit(code or 0)


def _complete() -> None:
    """Print completions and exit; an error must not appear in the line that is being typed."""
    with suppress(Exception), redirect_stderr(io.StringIO()):
        app(prog_name=PROGRAM)
    sys.exit(1)


def _start_session() -> Session:
    """Begin MPI if a launcher started this process."""
    try:
        return Session(join_world())
    except KavgError as error:
        # Only the doctor works without a world, and says more of what is wrong.
        if sys.argv[1:2] != ["doctor"]:
            sys.exit(_explain_missing_world(error, detect_launch()))
        return Session(SerialComm(), launch_error=str(error))


def _silence_other_ranks(session: Session) -> None:
    """Let rank 0 alone print; a rank that fails finds the real stderr in ``sys.__stderr__``.

    Characters that the terminal cannot show are escaped: they must not end a run.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if session.rank > 0:
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good


def _parse(session: Session) -> Any:
    """Parse the command line: the action of a command, or the exit code of an option."""
    try:
        return app(standalone_mode=False, obj=session, prog_name=PROGRAM)
    except SystemExit as exit_:  # of --install-completion and --show-completion
        return exit_.code


def _explain_missing_world(error: KavgError, launch: Launch | None) -> int:
    """Report, by one of several copies, why this process is no rank of a world; the exit code.

    All copies stay until that is printed and passed on: some launchers end all once one has left.
    """
    code = _report(error) if is_reporting_copy(launch) else error.code
    if launch is not None:
        ignore_signals()
        time.sleep(LINGER)
    return code


def _exit_code_of(error: BaseException, comm: Communicator) -> int:
    """Report what ended the command; the exit code.  An error of one rank aborts all others."""
    if isinstance(error, KavgError):
        if comm.Get_size() == 1 or isinstance(error, CollectiveError):
            return _report(error)
        abort(comm, str(error), error.code)
        return error.code
    if isinstance(error, SignalExit):
        return _report_signal(error, comm)
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # usage: typer hides the class
        error.show()
        return int(error.exit_code)
    # Our handlers raise SignalExit; the interpreter's own may have come before they were set.
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        abort(comm, "interrupted; no half-written folder is left", 130)
        return 130
    if isinstance(error, MemoryError):
        abort(comm, f"out of memory ({error}); use fewer replicas or record fewer rounds", 1)
        return 1
    # On several ranks an exit of one is a crash: the others wait for it in a collective.
    if isinstance(error, SystemExit) and comm.Get_size() == 1:
        return error.code if isinstance(error.code, int) else 1
    abort(comm, "".join(traceback.format_exception(error)).rstrip(), 1)
    return 1


def _report_signal(ended: SignalExit, comm: Communicator) -> int:
    """Report a signal; the exit code.  A rank that alone received it aborts the others."""
    if ended.collective:
        typer.echo(f"kavg: {ended.message}", err=True)
    else:
        abort(comm, ended.message, ended.code)
    return ended.code


def _report(error: KavgError) -> int:
    typer.echo(f"kavg: {error}", err=True)
    return error.code
