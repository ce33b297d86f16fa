"""Stages of a sweep: which points run, with which noise, replicas and rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, final

from kavg.config import Config
from kavg.config.sweeps.tables import StageTable

WHOLE: Final = 1.0
"""The share of a stage that runs all rounds."""


@final
@dataclass(frozen=True)
class Stage:
    """One stage: of each algorithm and cell the ``keep`` best of the stage before, None for all.

    They run ``rounds`` rounds, or this ``share`` of those of the point where ``rounds`` is None.

    >>> stages = list_stages((), seed=1, replicas=8, is_tuned=True)
    >>> [(stage.seed, stage.keep) for stage in stages]
    [(1, None), (2, 1)]
    """

    seed: int
    replicas: int
    keep: int | None = None
    rounds: int | None = None
    share: float = WHOLE

    def configure(self, config: Config) -> Config:
        """Return the settings of a point as this stage runs them."""
        rounds = self.count_rounds(config.rounds)
        return replace(config, seed=self.seed, replicas=self.replicas, rounds=rounds)

    def count_rounds(self, rounds: int) -> int:
        """Return the rounds that this stage runs of a point with so many, one at least."""
        if self.rounds is not None:
            return self.rounds
        # As it was written: 0.1 is a tenth.
        return max(1, int(rounds * Fraction(repr(self.share))))


def list_stages(
    tables: Sequence[StageTable], seed: int, replicas: int, *, is_tuned: bool
) -> tuple[Stage, ...]:
    """Return the stages of a sweep, whose settings have this seed and number of replicas.

    Without tables there is one stage, or two where something is tuned: all points, then the best
    of each algorithm and cell on the noise of the next seed.  Stage i has ``seed + i`` unless its
    table says otherwise, so none is judged on the noise that it was chosen by.
    """
    if not tables:
        first = Stage(seed, replicas)
        return (first, Stage(seed + 1, replicas, keep=1)) if is_tuned else (first,)
    return tuple(
        Stage(
            seed + i if table.seed is None else table.seed,
            replicas if table.replicas is None else table.replicas,
            table.keep,
            table.rounds,
            WHOLE if table.share is None else table.share,
        )
        for i, table in enumerate(tables)
    )


def list_stage_errors(
    tables: Sequence[StageTable], *, is_tuned: bool, has_budget: bool = False
) -> list[str]:
    """Return what is wrong with the stages of a sweep together.

    ``has_budget`` is True if the rounds of each point follow from a budget.

    >>> list_stage_errors([StageTable(keep=3), StageTable()], is_tuned=True)
    ['sweep.stage.0: the first stage runs all points; leave keep out', 'sweep.stage.1: needs keep, \
the number of the best that go on, as in keep = 1']
    """
    if tables and not is_tuned:
        return ["sweep.stage: stages choose among what [sweep.tune] varies; add it"]
    # One number of rounds would be another budget for each point.
    errors = [
        f"sweep.stage.{i}.rounds: rounds follow from [sweep.budget]; use share, as in share = 0.25"
        for i, table in enumerate(tables)
        if table.rounds is not None and has_budget
    ]
    if tables and tables[0].keep is not None:
        errors.append("sweep.stage.0: the first stage runs all points; leave keep out")
    for i, table in enumerate(tables[1:], start=1):
        before = tables[i - 1].keep
        if table.keep is None:
            need = "needs keep, the number of the best that go on, as in keep = 1"
            errors.append(f"sweep.stage.{i}: {need}")
        elif before is not None and table.keep > before:
            errors.append(
                f"sweep.stage.{i}: keep must be at most that of the stage before, {before}, "
                f"got keep={table.keep}"
            )
    return errors
