"""The runs of folders, each with what tells it from the others: candidates for a comparison."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from kavg.analysis.differences import flatten_tables
from kavg.analysis.methods.method import Method, TuningCost
from kavg.base.outer_rules import describe_outer_rule
from kavg.cli.sweeps.finished import FinishedSweep, read_finished_sweep
from kavg.config.config import Config
from kavg.config.kinds import to_plain
from kavg.config.stored_settings import load_run
from kavg.errors import KavgError
from kavg.problem import Algorithm
from kavg.storage import RunFolder
from kavg.storage.output_folder import require_run_folder
from kavg.storage.recovery import recover_before_reading
from kavg.sweeps.judgement.criteria import choose_criterion
from kavg.targets import Target
from kavg.trajectory import Trajectory

DATA_PLACES: Final = ("objective.data", "objective.data.path")
"""Where data lie, which may be another place for the same data; these are known by their digest."""
NOISE_TABLES: Final = ("objective", "oracle", "start", "seed")
"""The settings that the noise of a replica is a function of."""


@final
@dataclass(frozen=True, eq=False)
class Candidate:
    """A run of a folder: its settings, the digest of its data and, of a sweep, cell and target."""

    config: Config
    algorithm: Algorithm
    run: Trajectory
    folder: Path
    data: str
    cell: Mapping[str, object] = field(default_factory=dict)
    tuning: TuningCost | None = None
    target: Target | None = None
    floors: Mapping[str, float] = field(default_factory=dict)

    @property
    def noise(self) -> dict[str, object]:
        """By place all that the start and the draws of a replica are a function of."""
        tables: dict[str, Any] = to_plain(self.config)
        places = flatten_tables({name: tables.get(name) for name in NOISE_TABLES})
        known = {place: value for place, value in places.items() if place not in DATA_PLACES}
        return {**known, "data": self.data, "arithmetic": self.run.arithmetic}

    def to_method(self, label: str) -> Method:
        """Return the method to be compared under a label."""
        settings = collect_settings(self.algorithm)
        problem = self.config.problem
        return Method(
            label,
            self.run,
            problem,
            self.algorithm,
            self.noise,
            settings,
            self.tuning,
            self.floors,
        )


def load_candidates(folder: Path) -> list[Candidate]:
    """Load the runs of a folder: all of a plain run, the winners of a sweep.

    Raises:
        KavgError: if there is no finished run or sweep, or one that cannot be read.
    """
    recover_before_reading(folder)
    require_run_folder(folder)
    data = str(RunFolder(folder).read_table("environment.json").get("data") or "")
    if os.path.exists(folder / "sweep.json"):
        return _load_winners(folder, data)
    # Data may be gone by now, and what was recorded is all that is compared.
    config, runs = load_run(folder, reads_data=False)
    pairs = zip(config.algorithms, runs, strict=True)
    return [Candidate(config, algorithm, run, folder, data) for algorithm, run in pairs]


def _load_winners(folder: Path, data: str) -> list[Candidate]:
    finished = read_finished_sweep(folder, reads_data=False)
    floors = choose_criterion(finished.sweep).floors
    try:
        return [
            _read_winner(finished, winner, floors, data) for winner in finished.content["winners"]
        ]
    except (LookupError, TypeError, ValueError):
        raise KavgError(f"{str(folder / 'sweep.json')!r} lists no winners of its points") from None


def _read_winner(
    finished: FinishedSweep, winner: Mapping[str, Any], floors: Mapping[int, float], data: str
) -> Candidate:
    sweep, place = finished.sweep, int(winner["run"])
    point, cost = finished.points[place], _read_cost(winner)
    config = sweep.stages[-1].configure(point.config)
    has_floor = point.number in floors
    return Candidate(
        config,
        config.algorithms[0],
        finished.runs[place],
        finished.folder,
        data,
        point.cell,
        # One trial is no choice.
        tuning=cost if cost.trials > 1 else None,
        target=sweep.target,
        floors={sweep.quantity: floors[point.number]} if has_floor else {},
    )


def _read_cost(winner: Mapping[str, Any]) -> TuningCost:
    return TuningCost(*(int(winner[name]) for name in ("trials", "gradients", "rivals")))


def collect_settings(algorithm: Algorithm) -> dict[str, object]:
    """Return the settings of an algorithm that a table shows: P, K, gamma and those of its rule.

    >>> from kavg.outer import BlockMomentum
    >>> collect_settings(Algorithm(P=4, K=8, gamma=0.05, outer=BlockMomentum(mu=0.5)))
    {'P': 4, 'K': 8, 'gamma': 0.05, 'mu': 0.5}
    """
    K, gamma = map(to_plain, (algorithm.K, algorithm.gamma))
    described = describe_outer_rule(algorithm.outer, algorithm.restart)
    rule = {name: value for name, value in described.items() if name != "kind"}
    # Functions of the round are shown by their kind alone: a table has no room for their numbers.
    shown = [each["kind"] if isinstance(each, dict) else each for each in (K, gamma)]
    return {"P": algorithm.P, "K": shown[0], "gamma": shown[1], **rule}
