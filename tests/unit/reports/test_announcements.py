"""What is said of settings before the first round."""

from __future__ import annotations

from helpers.methods import METHODS, method

from kavg import aggregations, measures, objectives, optimizers, oracles, outer
from kavg.config import Config
from kavg.config.config import Record
from kavg.reports.announcements import list_announcements


def announced(*algorithms, **settings):
    objective = objectives.Cosine(dim=1024)
    return list_announcements(Config(9, objective, oracles.Noiseless(), algorithms, **settings))


def test_what_learners_keep_is_said_of_each_algorithm_that_keeps_something():
    ball = method(name="ball", P=512, optimizer=optimizers.HeavyBall(0.5, "kept"))
    elastic = method(
        name="elastic",
        P=512,
        optimizer=optimizers.Adam(at_average="kept"),
        aggregation=aggregations.ElasticAveraging(0.1),
    )
    plain = method(name="plain")
    assert announced(ball, plain, elastic, replicas=2) == [
        "ball: learners keep an array each: 8 MiB over all ranks",
        "elastic: learners keep 3 arrays each: 24 MiB over all ranks",
    ]
    assert announced(ball, dtype="float32") == [
        "ball: learners keep an array each: 2 MiB over all ranks"
    ]


def test_nothing_is_said_where_nothing_is_kept():
    for state in ("reset", "averaged"):
        assert announced(method(name="Adam", optimizer=METHODS[f"Adam, {state}"].optimizer)) == []
    assert announced(method(outer.BlockMomentum(0.5), name="plain")) == []


def test_a_mean_that_begins_after_the_last_round_is_said():
    said = "the mean F_late is of w after round 9 and later ones, and these are 9 rounds: it is w "
    for after in (8, 9, 10):
        late = measures.SuffixMean(after=after, name="late")
        lines = announced(method(name="plain"), record=Record(measures=(late,)))
        assert [line.startswith(said.replace("9 and", f"{after} and")) for line in lines] == (
            [True] if after >= 9 else []
        )


def test_of_the_points_of_a_sweep_the_largest_of_each_algorithm_is_said():
    keeps = optimizers.HeavyBall(0.5, "kept")
    cosine = objectives.Cosine(dim=1024)

    def point(P, name):
        one = method(name=name, P=P, optimizer=keeps)
        return Config(9, cosine, oracles.Noiseless(), (one,))

    first, *others = point(16, "a"), point(512, "a"), point(64, "a"), point(128, "b")
    assert list_announcements(first, others) == [
        "a: learners keep an array each: 4 MiB over all ranks",
        "b: learners keep an array each: 1 MiB over all ranks",
    ]
