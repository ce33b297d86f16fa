"""The one exception of kavg, and the checks that constructors share."""

from __future__ import annotations

import numpy as np


class KavgError(ValueError):
    """The base of all errors of kavg: what was given, what is needed and what to do.

    Raised itself where the input is wrong.  ``code`` is the exit code of a command that the error
    ends: 2 for wrong input, 1 for a run that failed (``RunFailed``).
    """

    code: int = 2


class RunFailed(KavgError):
    """A run failed although its input was right, for instance because a disk is full."""

    code = 1


class NewerFormat(KavgError):
    """An intact file of a later format, which a later version of kavg can read."""


class CollectiveError(KavgError):
    """An error that every rank raises at the same point, so that each can end by itself.

    Any other error is one rank's own; that rank must abort the others, which would wait for it in
    the next collective.  ``code`` is the exit code of all ranks.
    """

    def __init__(self, message: str, code: int = KavgError.code) -> None:
        super().__init__(message)
        self.code = code


def at_least_one(name: str, value: int, advice: str) -> None:
    """Refuse a count below 1.

    >>> at_least_one("K", 0, "use K=1 for sync")
    Traceback (most recent call last):
    kavg.errors.KavgError: K must be a whole number of at least 1, got K=0; use K=1 for sync
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise KavgError(
            f"{name} must be a whole number of at least 1, got {name}={value!r}; {advice}"
        )


def positive(name: str, value: float) -> None:
    """Refuse what is not a finite number above 0."""
    if not (np.isfinite(value) and value > 0):
        raise KavgError(f"{name} must be a finite number above 0, got {name}={value!r}")


def not_negative(name: str, value: float) -> None:
    """Refuse what is not a finite number of at least 0."""
    if not (np.isfinite(value) and value >= 0):
        raise KavgError(f"{name} must be a finite number of at least 0, got {name}={value!r}")


def check_seed(seed: int) -> None:
    """Refuse what is not a whole number from 0 to 2^63 - 1."""
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**63:
        raise KavgError(f"seed must be a whole number from 0 to 2^63 - 1, got seed={seed!r}")
