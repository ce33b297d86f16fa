"""Writing and pruning of a run's checkpoints, by the policy in its settings."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any, Final, final

from kavg.errors import KavgError, RunFailed
from kavg.ranges import Count, check_ranges
from kavg.storage.atomic import remove_empty
from kavg.storage.checkpoints import FOLDER, Checkpoint, list_checkpoints, write_checkpoint
from kavg.storage.locks.folder_lock import FolderLock
from kavg.storage.output_folder import claim_folder, resume_command
from kavg.trajectory import Trajectory

NEVER: Final = "never"
UNITS: Final = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds in each unit of time."""
DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(s|min|m|h|d)")


@final
@dataclass(frozen=True)
class CheckpointPolicy:
    """When checkpoints are written: after a number of rounds or a time ``every``, or never.

    A number of rounds is a whole number, counted for each algorithm from its start; a time is text
    such as ``"30s"``, ``"5m"``, ``"1.5h"`` or ``"2d"``.

    >>> CheckpointPolicy(every="1.5h").seconds, CheckpointPolicy(every=50).seconds
    (5400.0, None)
    """

    every: Annotated[Count, "use every=1 for a checkpoint after each round"] | str = "60s"

    def __post_init__(self) -> None:
        check_ranges(self)
        if isinstance(self.every, str) and self.is_on and not self.seconds:
            raise KavgError(
                "every must be a number of rounds, a time such as '30s', '5m' or '1h', "
                f"or 'never', got {self.every!r}"
            )

    @property
    def is_on(self) -> bool:
        """False if no checkpoints are written."""
        return self.every != NEVER

    @property
    def seconds(self) -> float | None:
        """Time between two checkpoints; None if rounds are counted, or there are none."""
        match = DURATION.fullmatch(self.every) if isinstance(self.every, str) else None
        return float(match[1]) * UNITS[match[2]] if match else None


DEFAULT_POLICY: Final = CheckpointPolicy()
"""The policy of a settings file that has none."""


@final
class CheckpointManager:
    """Writes checkpoints and removes all but the last two; used on rank 0 only.

    All ranks hold the same state after a round, so rank 0 can decide by its own clock, and write,
    without communication.

    ``start`` is where the run began: a checkpoint without runs, or the one it was resumed from,
    whose file is ``latest``.  ``owns_folder`` is True if ``folder`` belongs to this run; otherwise
    the manager claims it, or the next free name, when it writes the first checkpoint.  The caller
    holds the lock of ``folder``; that of another name is the manager's, until ``release``.
    """

    def __init__(
        self,
        folder: Path,
        policy: CheckpointPolicy,
        start: Checkpoint,
        *,
        owns_folder: bool,
        latest: Path | None = None,
    ) -> None:
        self.folder, self.policy, self.start = folder, policy, start
        self.owns_folder, self.latest = owns_folder, latest
        self._rounds = 0 if isinstance(policy.every, str) else int(policy.every)
        self._seconds = policy.seconds or inf
        self._runs, self._sweep = list(start.runs), start.sweep
        self._saved_at = time.monotonic()
        self._lock: FolderLock | None = None

    def release(self) -> None:
        """Release the lock of a folder that was claimed in place of the given one."""
        if self._lock is not None:
            self._lock.release()

    def is_due(self, n: int) -> bool:
        """True if a checkpoint is to be saved after round ``n`` of an algorithm.

        By rounds this depends on ``n`` alone, by time on when the last one was saved.
        """
        if self._rounds:
            return n % self._rounds == 0
        return time.monotonic() - self._saved_at >= self._seconds

    @property
    def is_due_for_sweep(self) -> bool:
        """True if a checkpoint is to be saved after a batch of a sweep.

        A number of rounds means after each batch, as those of its points are done together.
        """
        return bool(self._rounds) or time.monotonic() - self._saved_at >= self._seconds

    def update(self, i: int, run: Trajectory) -> None:
        """Set the run of algorithm ``i`` for the next checkpoint; nothing is written."""
        self._runs[i : i + 1] = [run]

    def update_sweep(self, runs: Sequence[Trajectory], sweep: Mapping[str, Any]) -> None:
        """Set the finished points of a sweep for the next checkpoint; nothing is written."""
        self._runs, self._sweep = list(runs), {**(self.start.sweep or {}), **sweep}

    def save(self) -> None:
        """Write a checkpoint now, unless the policy is never to write one.

        Raises ``RunFailed`` if it cannot be written; earlier checkpoints are then still intact.
        """
        if not self.policy.is_on:
            return
        try:
            self._write()
        except OSError as error:
            raise RunFailed(self._describe_failure(error)) from None
        self._saved_at = time.monotonic()

    def _write(self) -> None:
        if not self.owns_folder:
            self.folder, self._lock = claim_folder(self.folder)
            self.owns_folder = True
        folder, start = self.folder / FOLDER, self.start
        runs, sweep = self._runs, self._sweep
        checkpoint = Checkpoint(start.settings, start.data, runs, start.sessions, sweep)
        before, self.latest = self.latest, write_checkpoint(folder, checkpoint)
        # Not the two newest files: one of them may be damaged, and would replace an intact one.
        for path in list_checkpoints(folder):
            if path not in (self.latest, before):
                path.unlink(missing_ok=True)

    def _describe_failure(self, error: OSError) -> str:
        if self.owns_folder:
            # rmdir fails on a folder that is not empty, which is kept.
            remove_empty([self.folder, self.folder / FOLDER])
        where, reason = str(self.folder / FOLDER), error.strerror or str(error)
        return f"cannot write a checkpoint to {where!r}: {reason}; {self.advice}"

    @property
    def advice(self) -> str:
        """The advice to a user whose disk accepts no more files."""
        if self.latest:
            command = resume_command(self.folder)
            return f"make room, then {command} continues from {self.latest.name}"
        return "make room, then run again: there is no checkpoint"
