"""TOML to checked, frozen settings, and back.

A settings file is the keyword arguments of ``Problem``, ``Algorithm`` and ``simulate``: unknown
keys are faults with a suggestion, and all faults of a file are reported at once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, final

import tomli_w
from pydantic import TypeAdapter, ValidationError

from kavg.base import Objective, Oracle, Precision, Start
from kavg.config.consistency import attempt, misfits
from kavg.config.kinds import to_plain
from kavg.config.messages import faults, shortened, shown
from kavg.config.models import ModelBuilder
from kavg.config.overrides import put
from kavg.config.toml import tables_of, text_of
from kavg.engine.options import MeanName, RunOptions
from kavg.errors import KavgError
from kavg.objectives.data import digest_data
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.problem import Algorithm, Problem
from kavg.ranges import Count, Positive, Seed, check_ranges
from kavg.storage.atomic import resolve_links
from kavg.storage.checkpoint_manager import DEFAULT_POLICY, CheckpointPolicy


@final
@dataclass(frozen=True)
class Record:
    """What is recorded: ``every``-th round, the first and the last always."""

    every: Annotated[Count, "use every=1 to record each round"] = 1

    def __post_init__(self) -> None:
        check_ranges(self)


RECORD: Final = Record()


def named(algorithms: tuple[Algorithm, ...]) -> tuple[Algorithm, ...]:
    """The same, one without a name called after its place; names must tell them apart."""
    if not algorithms:
        raise KavgError("needs at least one [[algorithm]]")
    called = [run.name or f"algorithm {i}" for i, run in enumerate(algorithms, start=1)]
    unreadable = [name for name in called if not name.isprintable() or not name.strip()]
    if unreadable:
        raise KavgError(f"names of algorithms must be readable text, got {shown(unreadable[0])}")
    twice = [name for name, count in Counter(called).items() if count > 1]
    if twice:
        raise KavgError(f"algorithms need different names, got {shown(twice[0])} twice")
    return tuple(replace(a, name=name) for a, name in zip(algorithms, called, strict=True))


@final
@dataclass(frozen=True)
class Config:
    """All settings of a run: one problem, several algorithms that share its noise.

    >>> config = parse('''
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
    algorithms: tuple[Algorithm, ...] = field(metadata={"key": "algorithm", "checks": (named,)})
    start: float | tuple[float, ...] | Start = 0.0
    replicas: Annotated[Count, "use replicas=1 for a single run"] = 1
    seed: Seed = 0
    mean: MeanName = "exact"
    dtype: Precision = "float64"
    record: Record = RECORD
    checkpoint: CheckpointPolicy = DEFAULT_POLICY
    figures: bool = True
    timeout: Positive = 600.0
    agree_every: Annotated[Count, "use more than rounds to compare at the end alone"] = 100

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def options(self) -> RunOptions:
        """The options that every algorithm is simulated with."""
        return RunOptions(self.replicas, self.seed, self.mean, self.dtype)

    @property
    def problem(self) -> Problem:
        """What is minimised."""
        return Problem(self.objective, self.oracle, self.start)


@cache
def settings_type() -> tuple[TypeAdapter[Config], dict[str, list[str]]]:
    """The type of a whole file, and the known keys of each of its tables."""
    models = ModelBuilder()
    whole = models.table(Config)
    return TypeAdapter(whole), models.keys | {"": models.keys["Config"]}


def parse(text: str, overrides: Sequence[str] = (), folder: Path | None = None) -> Config:
    """Settings from TOML, after ``overrides`` such as ``"algorithm.0.K=4"``.

    Paths of data are looked up in ``folder``.
    """
    data = tables_of(text)
    found: list[str] = []
    for override in overrides:
        attempt(found, f"--set {shortened(override)}", lambda: put(data, override))  # noqa: B023 - at once
    resolve_paths(data, folder)
    adapter, keys = settings_type()
    try:
        config = adapter.validate_python(data)
    except ValidationError as error:
        found += faults(error, data, keys)
    else:
        sizes = {"rounds": config.rounds, "replicas": config.replicas, "every": config.record.every}
        found += misfits(config.problem, config.algorithms, config.seed, **sizes)
    if found:
        raise KavgError("\n".join(found))
    return config


def load(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Settings from a file; every fault at once, under the file's name."""
    path = Path(path)
    text = text_of(path)
    try:
        return parse(text, overrides, path.parent)
    except KavgError as fault:
        lines = str(fault).split("\n")
        count = "1 fault" if len(lines) == 1 else f"{len(lines)} faults"
        raise KavgError("\n  ".join([f"{path}: {count}", *lines])) from None


def resolve_paths(data: dict[str, Any], folder: Path | None) -> None:
    """Make the path of a data file absolute, as seen from the settings file."""
    objective = data.get("objective")
    if folder is None or not isinstance(objective, dict):
        return
    source = objective.get("data")
    if isinstance(source, str) and source.endswith((".npz", ".csv")):
        data["objective"] = objective | {"data": str(resolve_links(folder / source))}


def to_toml(config: Config) -> str:
    """A settings file that gives this config, every default written out.

    >>> text = to_toml(parse(EXAMPLE))
    >>> to_toml(parse(text)) == text
    True
    """
    return tomli_w.dumps(to_plain(config))


def fingerprint(config: Config) -> str:
    """SHA-256 of the settings and of the data they read: equal on all ranks or nothing starts."""
    settings = json.dumps(to_plain(config), sort_keys=True)
    return hashlib.sha256(f"{settings}{data_digest(config)}".encode()).hexdigest()


def data_digest(config: Config) -> str:
    """What tells the data of the settings from any other; empty where there are none."""
    if not isinstance(config.objective, EmpiricalRisk):
        return ""
    split = config.objective.split
    return "".join(digest_data(data) for data in (split.train, split.held_out) if data is not None)


def schema() -> Mapping[str, Any]:
    """The JSON schema of a settings file, for editors."""
    return settings_type()[0].json_schema()


EXAMPLE = """\
seed = 1
rounds = 200
replicas = 64
start = 2.0

[objective]
kind = "cosine"
dim = 100

[oracle]
kind = "gaussian"
sigma2 = 1.0

[[algorithm]]
name = "K-AVG"
P = 16
K = 8
gamma = 0.05
outer = { kind = "averaging" }

[[algorithm]]
name = "M-AVG"
P = 16
K = 8
gamma = 0.05
outer = { kind = "block_momentum", mu = 0.5 }
"""
