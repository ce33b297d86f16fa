"""Keeps the checkpoints of a run: when one is due, where it goes, which are dropped."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, final

from kavg.errors import KavgError, RunFailed
from kavg.ranges import Count, check_ranges
from kavg.storage.checkpoints import FOLDER, Checkpoint, stored, write
from kavg.storage.output_folder import claimed, resume_command
from kavg.trajectory import Trajectory


@final
class Keeper:
    """Writes checkpoints, and keeps the two last: rank 0's alone, by its own clock.

    All ranks hold the same state after a round, so that one of them can decide and write without
    a word to the others.  ``mine`` says that the folder is this run's already; else it is taken
    when the first checkpoint is written.
    """

    def __init__(
        self,
        folder: Path,
        cadence: Checkpointing,
        begun: Checkpoint,
        *,
        mine: bool,
        last: Path | None = None,
    ) -> None:
        self.folder, self.cadence, self.begun = folder, cadence, begun
        self.mine, self.last = mine, last
        self.rounds = 0 if isinstance(cadence.every, str) else int(cadence.every)
        self.seconds = cadence.seconds or float("inf")
        self.runs = list(begun.runs)
        self.written_at = time.monotonic()

    def due(self, n: int) -> bool:
        """Is it time, after round ``n`` of some algorithm?"""
        if self.rounds:
            return n % self.rounds == 0
        return time.monotonic() - self.written_at >= self.seconds

    def keep(self, i: int, run: Trajectory) -> None:
        """Remember how far algorithm i is."""
        self.runs[i : i + 1] = [run]

    def write(self) -> None:
        """Write a checkpoint; what cannot be written ends the run."""
        if not self.cadence.on:
            return
        try:
            self.store()
        except OSError as error:
            raise RunFailed(self.unwritten(error)) from None
        self.written_at = time.monotonic()

    def store(self) -> None:
        """Write, then drop all but this and the one before."""
        if not self.mine:
            self.folder, self.mine = claimed(self.folder), True
        folder, begun = self.folder / FOLDER, self.begun
        now = Checkpoint(begun.settings, begun.data, self.runs, begun.sessions)
        before, self.last = self.last, write(folder, now)
        for old in stored(folder):
            if old not in (self.last, before):
                old.unlink(missing_ok=True)

    def unwritten(self, error: OSError) -> str:
        """What is lost, and what to do."""
        if self.mine:
            with suppress(OSError):  # what is not empty stays
                (self.folder / FOLDER).rmdir()
                self.folder.rmdir()
        where, reason = str(self.folder / FOLDER), error.strerror or str(error)
        return f"cannot write a checkpoint to {where!r}: {reason}; {self.advice}"

    @property
    def advice(self) -> str:
        """What to do about a disk on which nothing can be written."""
        if self.last:
            return f"make room, then {resume_command(self.folder)} goes on from {self.last.name}"
        return "make room, then run again: there is no checkpoint"


NEVER: Final = "never"


UNITS: Final = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(s|min|m|h|d)")


@final
@dataclass(frozen=True)
class Checkpointing:
    """When checkpoints are written: ``every`` so many rounds, or after so much time, or never.

    >>> Checkpointing(every="1.5h").seconds, Checkpointing(every=50).seconds
    (5400.0, None)
    """

    every: Annotated[Count, "use every=1 for a checkpoint after each round"] | str = "60s"

    def __post_init__(self) -> None:
        check_ranges(self)
        if isinstance(self.every, str) and self.on and not self.seconds:
            raise KavgError(
                "every must be a number of rounds, a time such as '30s', '5m' or '1h', "
                f"or 'never', got {self.every!r}"
            )

    @property
    def on(self) -> bool:
        """Are any written?"""
        return self.every != NEVER

    @property
    def seconds(self) -> float | None:
        """The time between two, or None where rounds are counted."""
        found = DURATION.fullmatch(self.every) if isinstance(self.every, str) else None
        return float(found[1]) * UNITS[found[2]] if found else None


CHECKPOINTING: Final = Checkpointing()
"""What is done unless a settings file says otherwise."""
