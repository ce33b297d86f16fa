"""The entry point of ``kavg``: runs a command, on one or more ranks, and exits with its code.

Every rank computes; rank 0 prints and writes.  ``kavg.cli.app`` has the commands.

The exit codes are listed in ``kavg.cli.app.EXIT_CODES``.
"""

from __future__ import annotations

import io
import os
import sys
import time
import traceback
from contextlib import redirect_stderr, suppress
from functools import cache
from typing import Any, Final

import typer
from typer.main import get_command

from kavg.base import Communicator
from kavg.cli.app import app
from kavg.cli.output import find_lost_output, protect_streams
from kavg.cli.session import Session
from kavg.engine.communicator import SerialComm
from kavg.errors import CollectiveError, KavgError
from kavg.mpi.collective import abort
from kavg.mpi.comm_world import join_world, load_mpi
from kavg.mpi.launchers import Launch, detect_launch, is_reporting_copy
from kavg.mpi.signals import SignalExit, handle_signals, ignore_signals, raise_signal_exit
from kavg.mpi.startup import finalize_mpi
from kavg.mpi.watched_comm import WatchedComm
from kavg.text import escape_lines, escape_unprintable, shorten_repr

PROGRAM: Final = "kavg"
COMPLETION: Final = "_KAVG_COMPLETE"
"""The variable by which a shell asks for completions."""
NUMBERS: Final = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
}
"""What an option needs, by the type of pydantic's error."""
LINGER: Final = 1.0
"""Seconds that a copy without a common MPI world waits before it exits."""


def main() -> None:
    """Run the command on the command line and exit with its code.

    Always raises ``SystemExit``, after all ranks have finalized MPI.
    """
    protect_streams()
    # Before MPI begins: a shell may ask inside a batch job.
    if COMPLETION in os.environ:
        _complete()
    session = Session(SerialComm())
    try:
        with handle_signals(raise_signal_exit):
            session = _start_session()
            _silence_other_ranks(session)
            action = _parse(session)
            # Typer has returned, so it cannot swallow an interrupt or an error of the command.
            code = action() if callable(action) else action
    except BaseException as error:
        code = _exit_code_of(error, session.comm)
    if isinstance(session.comm, WatchedComm):
        finalize_mpi(load_mpi(), session.comm)
    sys.exit(code or _report_lost_output())


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
        # Only kavg doctor works without an MPI world; it reports the error with its checks.
        if sys.argv[1:2] != ["doctor"]:
            sys.exit(_explain_missing_world(error, detect_launch()))
        return Session(SerialComm(), launch_error=str(error))


def _silence_other_ranks(session: Session) -> None:
    """Discard the output of all ranks but rank 0; errors of any rank go to ``sys.__stderr__``."""
    if session.rank > 0:
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good


def _parse(session: Session) -> Any:
    """Parse the command line: the action of a command, or the exit code of an option."""
    try:
        return _parser()(standalone_mode=False, obj=session, prog_name=PROGRAM)
    except SystemExit as exit_:  # of --install-completion and --show-completion
        return exit_.code


@cache
def _parser() -> Any:
    """Build the parser of all commands, once for all calls of ``main`` in a process."""
    return get_command(app)


def _explain_missing_world(error: KavgError, launch: Launch | None) -> int:
    """Report why this process has no MPI world, once for all copies; return the exit code.

    All copies wait until the message has been forwarded: some launchers end all when one exits.
    """
    code = _report(error) if is_reporting_copy(launch) else error.code
    if launch is not None:
        ignore_signals()
        time.sleep(LINGER)
    return code


def _explain_usage(error: BaseException) -> str:
    """Return what is wrong with an option; typer has it from pydantic, in words for programmers."""
    list_errors = getattr(error.__cause__, "errors", None)
    for detail in list_errors() if callable(list_errors) else ():
        if detail["type"] in NUMBERS:
            return f"needs {NUMBERS[detail['type']]}, got {shorten_repr(detail['input'])}"
    return str(getattr(error, "message", "")).removeprefix("Value error, ")


def _exit_code_of(error: BaseException, comm: Communicator) -> int:
    """Report the error and return the exit code; an error on one rank aborts all others."""
    if isinstance(error, KavgError):
        if comm.Get_size() == 1 or isinstance(error, CollectiveError):
            return _report(error)
        abort(comm, str(error), error.code)
        return error.code
    if isinstance(error, SignalExit):
        return _report_signal(error, comm)
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # usage: typer hides the class
        # The message has words of the command line.
        vars(error)["message"] = escape_unprintable(_explain_usage(error))
        error.show()
        return int(error.exit_code)
    # Our handlers raise SignalExit; Python's own raises these before ours are set.
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        abort(comm, "interrupted; no half-written folder is left", 130)
        return 130
    if isinstance(error, MemoryError):
        abort(comm, f"out of memory ({error}); use fewer replicas or record fewer rounds", 1)
        return 1
    # On several ranks the exit of one is a crash, as the others wait for it in a collective.
    if isinstance(error, SystemExit) and comm.Get_size() == 1:
        return error.code if isinstance(error.code, int) else 1
    abort(comm, "".join(traceback.format_exception(error)).rstrip(), 1)
    return 1


def _report_signal(ended: SignalExit, comm: Communicator) -> int:
    """Report a signal and return the exit code; a rank that alone received it aborts the others."""
    if ended.collective:
        typer.echo(f"kavg: {escape_lines(ended.message)}", err=True)
    else:
        abort(comm, ended.message, ended.code)
    return ended.code


def _report_lost_output() -> int:
    """Report that standard output could not be written; return the exit code, 0 if it was."""
    failure = find_lost_output()
    if failure is None:
        return 0
    reason = failure.strerror or failure
    typer.echo(f"kavg: cannot write to standard output: {reason}; files are complete", err=True)
    return 1


def _report(error: KavgError) -> int:
    typer.echo(f"kavg: {escape_lines(str(error))}", err=True)
    return error.code
