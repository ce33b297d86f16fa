"""The settings of a run as one frozen value."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, final

from kavg.base import Objective, Oracle, Precision, RoundMeasure, Start
from kavg.config.kinds import to_plain
from kavg.config.sweeps.tables import SweepTable
from kavg.engine.means import MEANS
from kavg.engine.measures.names import check_series_names
from kavg.engine.options import MeanName, RunOptions
from kavg.errors import KavgError
from kavg.measures import make_measure
from kavg.objectives.data import digest_data
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.objectives.finite_sums.network import Network
from kavg.portability import SameBits, find_same_bits
from kavg.problem import Algorithm, Problem
from kavg.ranges import Count, Finite, Positive, Seed, check_ranges
from kavg.starts import Normal
from kavg.storage.checkpoint_manager import DEFAULT_POLICY, CheckpointPolicy
from kavg.text import shorten_repr

STANDARD: Final = ("F", "grad_norm2", "dispersion")
"""The series that every run records."""


@final
@dataclass(frozen=True)
class Record:
    """Which rounds are recorded, every ``every``-th, the first and the last, and what beside F.

    ``measures`` are measures of rounds (``kavg.measures``), or names of some, with their defaults.

    >>> Record(every=0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kavg.errors.KavgError: every must be a whole number of at least 1, got every=0; use ...
    """

    every: Annotated[Count, "use every=1 to record each round"] = 1
    measures: tuple[RoundMeasure | str, ...] = ()

    def __post_init__(self) -> None:
        check_ranges(self)
        measures = tuple(make_measure(m) if isinstance(m, str) else m for m in self.measures)
        check_series_names(measures, STANDARD)
        # Names become tables, so that the settings of a run say what their defaults were.
        object.__setattr__(self, "measures", measures)

    @property
    def round_measures(self) -> tuple[RoundMeasure, ...]:
        """The measures, none of which is a name."""
        return tuple(one for one in self.measures if not isinstance(one, str))

    @property
    def series(self) -> tuple[str, ...]:
        """The names of the series of the measures."""
        return tuple(name for one in self.round_measures for name in one.names)


RECORD: Final = Record()


def choose_start(objective: Objective) -> float | Start:
    """Return where runs begin if the settings do not say: 0, or near 0 for a network.

    Hidden units that begin alike have the same gradients, so they would stay alike.

    >>> from kavg.objectives import Cosine
    >>> choose_start(Cosine(dim=2))
    0.0
    """
    return Normal(scale=0.1) if isinstance(objective, Network) else 0.0


def name_algorithms(algorithms: tuple[Algorithm, ...]) -> tuple[Algorithm, ...]:
    """Return the algorithms with a name each; one without is named by its position, from 1.

    Raises ``KavgError`` if there are none, or if their names are not printable and distinct.
    """
    if not algorithms:
        raise KavgError("needs at least one [[algorithm]]")
    names = [run.name or f"algorithm {i}" for i, run in enumerate(algorithms, start=1)]
    unreadable = [name for name in names if not name.isprintable() or not name.strip()]
    if unreadable:
        raise KavgError(
            f"names of algorithms must be readable text, got {shorten_repr(unreadable[0])}"
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise KavgError(
            f"algorithms must have different names, got {shorten_repr(repeated[0])} twice"
        )
    return tuple(replace(a, name=name) for a, name in zip(algorithms, names, strict=True))


@final
@dataclass(frozen=True)
class Config:
    """All settings of a run: one problem, and several algorithms that share its noise.

    The fields are the keys of a settings file, documented in docs/settings.md; ``algorithms`` is
    the array of tables ``[[algorithm]]``.  ``sweep`` is None in settings that run: ``kavg.sweeps``
    makes such a config of each point.  ``parse_config`` and ``load_config`` also check that the
    parts fit together, which a ``Config`` constructed in Python does not.

    >>> from kavg.config import parse_config
    >>> config = parse_config('''
    ... rounds = 5
    ... objective = { kind = "cosine", dim = 2 }
    ... oracle = { kind = "gaussian", sigma2 = 1.0 }
    ... algorithm = [{ P = 4, K = 2, gamma = 0.1, outer = { kind = "averaging" } }]
    ... ''')
    >>> config.problem.objective
    Cosine(dim=2, lam=1.0, A=1.0, omega=3.0)
    """

    rounds: Annotated[Count, "use rounds=1 for a single averaging"]
    objective: Objective
    oracle: Oracle
    algorithms: tuple[Algorithm, ...] = field(
        metadata={"key": "algorithm", "checks": (name_algorithms,)}
    )
    start: Finite | tuple[Finite, ...] | Start | None = None
    replicas: Annotated[Count, "use replicas=1 for a single run"] = 1
    seed: Seed = 0
    mean: MeanName = "exact"
    dtype: Precision = "float64"
    record: Record = RECORD
    checkpoint: CheckpointPolicy = DEFAULT_POLICY
    figures: bool = True
    timeout: Positive = 600.0
    agree_every: Annotated[Count, "use more than rounds to compare at the end alone"] = 100
    sweep: SweepTable | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.start is None:
            # A frozen dataclass can be assigned to in no other way.
            object.__setattr__(self, "start", choose_start(self.objective))

    @property
    def options(self) -> RunOptions:
        """The options that every algorithm is simulated with."""
        return RunOptions(self.replicas, self.seed, self.mean, self.dtype)

    @property
    def problem(self) -> Problem:
        """The problem that every algorithm is run on."""
        return Problem(self.objective, self.oracle, 0.0 if self.start is None else self.start)

    @property
    def same_bits(self) -> SameBits:
        """Where the run has the same digest: the weakest promise of its parts and mean."""
        measures = self.record.round_measures
        return find_same_bits(self.problem, *self.algorithms, *measures, MEANS[self.mean])


def hash_config(config: Config) -> str:
    """Return the SHA-256 of the settings and of the data they read, as hexadecimal text.

    Ranks compare it before the first round; reads the data.
    """
    settings = json.dumps(to_plain(config), sort_keys=True)
    return hashlib.sha256(f"{settings}{hash_data(config)}".encode()).hexdigest()


def hash_data(config: Config) -> str:
    """Return the SHA-256 of the training and held-out data of the settings; ``""`` without data.

    Unlike ``hash_config`` it does not depend on the settings themselves.
    """
    if not isinstance(config.objective, EmpiricalRisk):
        return ""
    split = config.objective.split
    return "".join(digest_data(data) for data in (split.train, split.held_out) if data is not None)
