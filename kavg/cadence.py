"""How often a run does something beside its rounds: record, write a checkpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, final

from kavg.errors import KavgError, at_least_one

NEVER: Final = "never"
UNITS: Final = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(s|min|m|h|d)")


@final
@dataclass(frozen=True)
class Record:
    """What is recorded: ``every``-th round, the first and the last always."""

    every: int = 1

    def __post_init__(self) -> None:
        at_least_one("every", self.every, "use every=1 to record each round")


@final
@dataclass(frozen=True)
class Checkpointing:
    """When checkpoints are written: ``every`` so many rounds, or after so much time, or never.

    >>> Checkpointing(every="1.5h").seconds, Checkpointing(every=50).seconds
    (5400.0, None)
    """

    every: int | str = "60s"

    def __post_init__(self) -> None:
        if not isinstance(self.every, str):
            at_least_one("every", self.every, "use every=1 for a checkpoint after each round")
        elif self.on and not self.seconds:
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


RECORD: Final = Record()
CHECKPOINTING: Final = Checkpointing()
"""What is done unless a settings file says otherwise."""
