"""What is said of settings before the first round: data, what learners keep, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kavg.base import Asynchronous
from kavg.config import Config
from kavg.config.sizes.array_counts import BYTES_PER_NUMBER, count_kept_bytes
from kavg.measures import SuffixMean
from kavg.problem import Algorithm
from kavg.reports.period_warnings import list_period_warnings
from kavg.reports.run_warnings import describe_objective_data, list_setting_warnings
from kavg.storage.limits import format_bytes


def list_announcements(config: Config, points: Sequence[Config] = ()) -> list[str]:
    """Return the lines about settings that are printed before the first round.

    Of what learners keep, that of further ``points`` of a sweep too, the largest of each algorithm.

    >>> from kavg import Algorithm, objectives, optimizers, oracles, outer
    >>> adam = optimizers.Adam(at_average="kept")
    >>> method = Algorithm(1024, 8, 0.1, outer.Averaging(), name="local Adam", optimizer=adam)
    >>> list_announcements(Config(9, objectives.Cosine(dim=1024), oracles.Noiseless(), (method,)))
    ['local Adam: learners keep 2 arrays each: 16 MiB over all ranks']
    """
    report = describe_objective_data(config.objective)
    # Data come first, as warnings may be about them.
    return [
        *([] if report is None else [report.line]),
        *_list_kept_memory((config, *points)),
        *list_setting_warnings(config.problem, config.algorithms),
        *list_period_warnings(config.algorithms, config.rounds),
        *_list_late_means(config),
    ]


def _list_late_means(config: Config) -> Iterator[str]:
    for one in config.record.round_measures:
        if isinstance(one, SuffixMean) and one.after >= config.rounds:
            yield (
                f"the mean {one.names[0]} is of w after round {one.after} and later ones, and "
                f"these are {config.rounds} rounds: it is w itself; begin it earlier"
            )


def _list_kept_memory(configs: Sequence[Config]) -> list[str]:
    largest: dict[str, tuple[int, str]] = {}
    for config in configs:
        for one in config.algorithms:
            found = _describe_kept_memory(config, one)
            if found is not None and found[0] > largest.get(one.name, (0,))[0]:
                largest[one.name] = found
    return [f"{name}: {text}" for name, (_, text) in largest.items()]


def _describe_kept_memory(config: Config, one: Algorithm) -> tuple[int, str] | None:
    """Return the size of what learners keep, in bytes, and a line about it."""
    if one.learner_slots:
        size = count_kept_bytes(config.objective.dim, one, config.replicas, config.dtype)
        arrays = "an array" if one.learner_slots == 1 else f"{one.learner_slots} arrays"
        return size, f"learners keep {arrays} each: {format_bytes(size)} over all ranks"
    if isinstance(one.aggregation, Asynchronous) and one.shared_slots:
        past = one.shared_slots
        size = past * config.replicas * config.objective.dim * BYTES_PER_NUMBER
        return size, f"{past} earlier iterates are kept: {format_bytes(size)} on each rank"
    return None
