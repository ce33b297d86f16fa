"""What a contestant is, and what is known when one cannot take part."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

from kavg.base import Floats

Repeat = Callable[[int], None]
"""Do it so many times over, and return when the last is done."""


class Runner(Protocol):
    """Rounds of a workload, ready to go: called with a number, it runs that many more."""

    def __call__(self, rounds: int) -> None:
        """Run so many more rounds, to the end."""
        ...

    def w(self) -> Floats:
        """The meta-iterate so far, ``(R, d)`` in float64 and in kavg's order."""
        ...


class LeftOut(Exception):
    """Why a contestant does not take part; the table says so."""


def needed(package: str) -> None:
    """Leave a contestant out if a package is not installed."""
    if find_spec(package) is None:
        raise LeftOut(f"{package} is not installed: pip install 'kavg[bench]'")


def repeated(once: Callable[[], object]) -> Repeat:
    """Do it over and over.

    >>> repeated(lambda: print("once"))(2)
    once
    once
    """

    def repeat(times: int) -> None:
        for _ in range(times):
            once()

    return repeat
