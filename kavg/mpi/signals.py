"""Handling of the signals that end a job: at once, or during rounds at the end of the round."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, final

import numpy as np

from kavg.base import Communicator

SIGNALS: Final = (
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGXCPU,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGINT,
)
"""The signals that end a job; where ranks caught different ones, the first of them counts.

Each would end a process anyway: batch systems send SIGTERM, SIGUSR1, SIGUSR2 or SIGXCPU before a
time limit, a terminal that closes sends SIGHUP.
"""
URGENT: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Signals that end a job at once if they come a second time.

Not SIGXCPU, which Linux repeats every second, nor those that announce a limit some time ahead.
"""
REPEAT_SECONDS: Final = 0.5
"""Within this time a second signal counts as the first: timeout(1) and batch systems repeat it."""

Handler = Callable[[int, FrameType | None], None]


@final
class SignalExit(BaseException):
    """A signal ends the job, as ``SystemExit`` does.

    ``collective`` says that all ranks raise it after the same round, so that none has to be
    aborted; ``message`` is what the command prints.
    """

    def __init__(
        self, number: int, message: str | None = None, *, collective: bool = False
    ) -> None:
        super().__init__(number, message)
        self.number, self.collective = number, collective
        default = f"ended by {signal_name(number)}; no half-written folder is left"
        self.message = message or default

    @property
    def code(self) -> int:
        """The exit code: 143 for SIGTERM, 130 for SIGINT, 129 for SIGHUP."""
        return 128 + self.number


def signal_name(number: int) -> str:
    """Return the name of a signal: ``"SIGTERM"``."""
    return signal.Signals(number).name


def raise_signal_exit(number: int, frame: FrameType | None = None) -> None:  # noqa: ARG001 - a handler's
    """Handle a signal: raise ``SignalExit``, and ignore the signals that follow.

    A second signal while the job ends would leave half-written files.
    """
    ignore_signals()
    raise SignalExit(number)


def ignore_signals() -> None:
    """Ignore all of ``SIGNALS`` from now on."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def handle_signals(handler: Handler) -> Iterator[None]:
    """Handle ``SIGNALS`` inside a ``with`` block, except one that was ignored before.

    (``nohup`` and shells ignore signals of jobs in the background.)  If the block raises
    ``SignalExit``, all of them remain ignored after it.
    """
    # Python allows only the main thread to set handlers.
    is_main = threading.current_thread() is threading.main_thread()
    before: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS if is_main}
    before = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    except SignalExit:
        ignore_signals()
        raise
    except BaseException:
        _restore_handlers(before)
        raise
    _restore_handlers(before)


def _restore_handlers(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


@final
class PendingSignal:
    """A handler that records the first signal, to be acted on at the end of the round.

    A second one of ``URGENT``, more than half a second later, ends the job at once.

    >>> pending = PendingSignal()
    >>> pending(signal.SIGINT)
    >>> pending.number == signal.SIGINT
    True
    """

    def __init__(self) -> None:
        self.number, self.at = 0, 0.0

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal."""
        now = time.monotonic()
        if not self.number:
            self.number, self.at = number, now
        elif number in URGENT and now - self.at > REPEAT_SECONDS:
            raise_signal_exit(number)


def agree_on_signal(comm: Communicator, caught: int) -> int:
    """Return the first of ``SIGNALS`` that any rank ``caught``, the same on all; 0 for none.

    ``caught`` is this rank's, or 0.  One ``Allgather``.

    >>> from kavg import SerialComm
    >>> agree_on_signal(SerialComm(), signal.SIGHUP) == signal.SIGHUP
    True
    """
    everyone = np.empty(comm.Get_size(), np.int64)
    comm.Allgather(np.array([caught], np.int64), everyone)
    return next((int(number) for number in SIGNALS if number in everyone), 0)


@contextmanager
def defer_signals() -> Iterator[PendingSignal]:
    """Defer signals inside a ``with`` block, which reads them from the ``PendingSignal``.

    A handler cannot act by itself: it runs between two calls of one rank, while the other ranks
    may be inside a collective that this rank has to join.
    """
    pending = PendingSignal()
    with handle_signals(pending):
        yield pending
