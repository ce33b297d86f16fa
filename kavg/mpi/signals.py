"""SIGTERM and SIGINT: outside rounds they end the job at once, inside at the end of a round."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
TWICE: Final = 0.5
"""Seconds within which a signal is the same again: timeout(1) and batch systems send it twice."""

Handler = Callable[[int, FrameType | None], None]


@final
class Ended(BaseException):
    """A signal ended the job; ``together`` if all ranks know of it and none needs to be ended."""

    def __init__(self, number: int, words: str = "", *, together: bool = False) -> None:
        super().__init__(number, words)
        self.number, self.together = number, together
        self.words = words or f"ended by {name(number)}; no half-written folder is left"

    @property
    def code(self) -> int:
        """The exit code: 143 for SIGTERM, 130 for SIGINT."""
        return 128 + self.number


def name(number: int) -> str:
    """``SIGTERM``."""
    return signal.Signals(number).name


def end(number: int, frame: FrameType | None = None) -> None:  # noqa: ARG001 - a handler's
    """End at once; what comes while the job is ending changes nothing."""
    ignore()
    raise Ended(number)


def ignore() -> None:
    """Hear no more signals."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Have a handler for both, but not for one that was ignored (as ``nohup`` does).

    Where a signal ends the job, signals stay ignored behind it.
    """
    main = threading.current_thread() is threading.main_thread()  # no other may
    before: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS if main}
    before = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    except Ended:
        ignore()
        raise
    except BaseException:
        restore(before)
        raise
    restore(before)


def restore(handlers: dict[int, Any]) -> None:
    """Put handlers back."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


@final
class Caught:
    """Notes the first signal, to be acted on at the end of a round; a later one ends at once."""

    def __init__(self) -> None:
        self.number, self.at = 0, 0.0

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """A signal came."""
        now = time.monotonic()
        if not self.number:
            self.number, self.at = number, now
        elif now - self.at > TWICE:
            end(number)

    def asks(self, size: int) -> int:
        """What a rank of ``size`` adds to a round: any SIGTERM outweighs all ranks' SIGINT."""
        return {0: 0, signal.SIGINT: 1, signal.SIGTERM: size + 1}[self.number]


def asked(total: int, size: int) -> int:
    """The signal that some rank caught, from the sum of what all ask; 0 if none did.

    >>> [asked(total, size=3) for total in (0, 2, 3, 4, 5, 12)]
    [0, 2, 2, 15, 15, 15]
    """
    return 0 if not total else int(signal.SIGTERM if total > size else signal.SIGINT)


@contextmanager
def caught() -> Iterator[Caught]:
    """Only note signals inside."""
    noted = Caught()
    with handled(noted):
        yield noted
