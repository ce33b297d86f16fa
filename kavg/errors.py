"""The exceptions of kavg: ``KavgError`` and its kinds, so that one class catches them all."""

from __future__ import annotations


class KavgError(ValueError):
    """The base class of all errors of kavg, and the error of wrong input.

    A message says what is needed, what was given and what to do.  ``code`` is the exit code of a
    command that the error ends: 2 for wrong input, 1 for a run that failed (``RunFailed``).
    """

    code: int = 2


class RunFailed(KavgError):
    """A run failed although its input was right, for instance because a disk is full."""

    code = 1


class NewerFormat(KavgError):
    """An intact file of a later format, which a later version of kavg can read."""


class OtherArithmetic(KavgError):
    """A run that was made with another arithmetic, which another version of kavg has."""


class FolderInUse(KavgError):
    """Another process writes to the folder, or its lock cannot be judged from this machine."""


class CollectiveError(KavgError):
    """An error that every rank raises at the same point, so that each can end by itself.

    Any other error is one rank's own; that rank must abort the others, which would wait for it in
    the next collective.  ``code`` is the exit code of all ranks.
    """

    def __init__(self, message: str, code: int = KavgError.code) -> None:
        super().__init__(message)
        self.code = code
