"""The one exception of kavg, and the checks that constructors share."""

from __future__ import annotations

import numpy as np


class KavgError(ValueError):
    """The one exception of kavg: says what was given, what is needed and what to do.

    ``code`` is the exit code of a command that it ends: 2 if the input is wrong, 1 if the run
    failed.  ``collective`` says that every rank raised it at the same point (``kavg.ranks``), and
    ``newer`` that a newer kavg could read what this one cannot.
    """

    code = 2
    collective = False
    newer = False


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


def failed(message: str) -> KavgError:
    """A run that failed where nothing was wrong with what was asked: exit code 1."""
    error = KavgError(message)
    error.code = 1
    return error
