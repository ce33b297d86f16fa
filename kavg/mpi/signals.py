"""Handling of SIGTERM and SIGINT: at once, or during rounds at the end of the round."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
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
        """The exit code: 143 for SIGTERM, 130 for SIGINT."""
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
    """Ignore SIGTERM and SIGINT from now on."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def handle_signals(handler: Handler) -> Iterator[None]:
    """Handle SIGTERM and SIGINT inside a ``with`` block, except one that was ignored before.

    (``nohup`` and shells ignore signals of jobs in the background.)  If the block raises
    ``SignalExit``, both signals remain ignored after it.
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

    The same signal again within half a second changes nothing; a later one ends the job at once.

    >>> pending = PendingSignal()
    >>> pending(signal.SIGINT)
    >>> pending.number == signal.SIGINT, pending.request(size=4)
    (True, 1)
    """

    def __init__(self) -> None:
        self.number, self.at = 0, 0.0

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal."""
        now = time.monotonic()
        if not self.number:
            self.number, self.at = number, now
        elif now - self.at > REPEAT_SECONDS:
            raise_signal_exit(number)

    def request(self, size: int) -> int:
        """Return what this rank of ``size`` adds to a round's sum: 0 without a signal.

        A single SIGTERM outweighs the SIGINT of all ranks.
        """
        return {0: 0, signal.SIGINT: 1, signal.SIGTERM: size + 1}[self.number]


def requested_signal(total: int, size: int) -> int:
    """Return the signal that any rank received, from the sum of all requests; 0 for none.

    >>> [requested_signal(total, size=3) for total in (0, 2, 3, 4, 5, 12)]
    [0, 2, 2, 15, 15, 15]
    """
    return 0 if not total else int(signal.SIGTERM if total > size else signal.SIGINT)


@contextmanager
def defer_signals() -> Iterator[PendingSignal]:
    """Defer signals inside a ``with`` block, which reads them from the ``PendingSignal``.

    A handler cannot act by itself: it runs between two calls of one rank, while the other ranks
    may be inside a collective that this rank has to join.
    """
    pending = PendingSignal()
    with handle_signals(pending):
        yield pending
