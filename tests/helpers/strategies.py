"""Small problems and algorithms for Hypothesis."""

from __future__ import annotations

import contextlib
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np
from annotated_types import Interval
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import kavg
from kavg.errors import KavgError
from kavg.objectives.data import Data
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.objectives.instances import small_settings

SMALL = st.floats(0.125, 2.0)
TEXTS = st.text(max_size=9)


@st.composite
def data_sets(draw) -> Data:
    n, p = 12, draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    labels = np.arange(n) % draw(st.integers(2, 3))
    return Data(generator.normal(size=(n, p)), labels)


def small_objective(cls: type, dim: int | None = None) -> Any:
    """A small instance, in ``dim`` dimensions where there is a choice, by default the fewest."""
    given = small_settings(cls)
    return cls(**given | ({"dim": dim} if dim and "dim" in given else {}))


def analytic_kinds() -> dict[str, type]:
    """The kinds of objectives that are not over data."""
    kinds = kavg.objectives.KINDS.items()
    return {kind: cls for kind, cls in kinds if not issubclass(cls, EmpiricalRisk)}


def is_smooth(objective: Any) -> bool:
    return bool(np.isfinite(objective.L.value))


def objectives(dim: int) -> list:
    """Every smooth kind of that dimension, and a quadratic that is not diagonal.

    Where L is infinite or unknown the steps of ``step_sizes`` diverge.
    """
    spectrum = tuple(np.linspace(0.1, 1.0, dim))
    small = []
    for cls in analytic_kinds().values():
        with contextlib.suppress(KavgError):  # a valley has two coordinates at least
            small.append(small_objective(cls, dim))
    return [F for F in small if F.dim == dim and is_smooth(F)] + [
        kavg.objectives.Quadratic(spectrum),
        kavg.objectives.Quadratic(spectrum, rotation_seed=3),
    ]


@st.composite
def analytic(draw) -> kavg.Problem:
    dim = draw(st.one_of(st.integers(1, 7), st.just(130)))
    objective = draw(st.sampled_from(objectives(dim)))
    return kavg.Problem(objective, draw(additive_noise()), draw(starts(dim)))


def numbers(kind: type, interval: Interval) -> st.SearchStrategy:
    """Small numbers of a range, away from an end where there would be no noise or no step."""
    if kind is int:
        least = 1 if interval.ge is None else interval.ge
        return st.integers(least, least + 2)
    low = next(end for end in (interval.ge, interval.gt, -2.0) if end is not None)
    if interval.le is not None:
        return st.floats(low, interval.le)
    if interval.lt is not None:
        return st.floats(low, interval.lt - 0.1 * (interval.lt - low))
    return st.floats(low + 0.125, max(2.0, 4 * low))


def instances(cls: type) -> st.SearchStrategy:
    """Instances of an oracle or an outer rule; what has no range has a small value or its default.

    Ranges are read from the types: a parameter's name is free.
    """
    drawn = {name: st.just(value) for name, value in small_settings(cls).items()}
    hints = get_type_hints(cls, include_extras=True)
    for hint, name in ((hints[field.name], field.name) for field in fields(cls)):
        if get_origin(hint) is Annotated:
            drawn[name] = numbers(*get_args(hint)[:2])
    return st.builds(cls, **drawn)


def additive_noise() -> st.SearchStrategy:
    """Every kind that suits any objective, and needs no second oracle."""
    others = {"minibatch", "shifted", "scaled", "unlike_functions", "random_design", "label_noise"}
    kinds = kavg.oracles.KINDS.items()
    return st.one_of(*(instances(cls) for kind, cls in kinds if kind not in others))


def starts(dim: int) -> st.SearchStrategy:
    return st.one_of(
        st.floats(-2, 2),
        st.just(tuple(i % 7 for i in range(dim))),
        st.just(kavg.starts.Normal(scale=0.5)),
    )


@st.composite
def finite_sums(draw) -> kavg.Problem:
    data = draw(data_sets())
    two = Data(data.features, data.labels % 2)
    objective = draw(
        st.sampled_from(
            [
                kavg.objectives.LogisticRegression(two, alpha=0.1),
                kavg.objectives.RobustRegression(data),
                kavg.objectives.Network(data, hidden=3),
            ]
        )
    )
    sampling = draw(st.sampled_from(["with_replacement", "without_replacement", "reshuffle"]))
    oracle = kavg.oracles.MiniBatch(B=draw(st.integers(1, 3)), sampling=sampling)
    return kavg.Problem(objective, oracle, kavg.starts.Normal(scale=0.3))


def problems() -> st.SearchStrategy:
    return st.one_of(analytic(), analytic(), finite_sums())


def outer_rules() -> st.SearchStrategy:
    return st.one_of(*map(instances, kavg.outer.KINDS.values()))


def step_sizes() -> st.SearchStrategy:
    gamma = st.floats(0.01, 0.2)
    return st.one_of(
        gamma,
        st.builds(kavg.schedules.InverseSqrt, gamma=gamma, rounds=st.integers(1, 3)),
        st.builds(kavg.schedules.Piecewise, st.tuples(gamma, gamma), st.just((1,))),
        st.builds(
            kavg.schedules.WarmUp,
            rounds=st.integers(1, 3),
            then=st.builds(kavg.schedules.ConstantStep, gamma),
        ),
    )


LEARNERS = st.integers(1, 13)


OUTER = outer_rules()


def algorithms(P=LEARNERS, outer=OUTER) -> st.SearchStrategy:
    return st.builds(kavg.Algorithm, P=P, K=st.integers(1, 5), gamma=step_sizes(), outer=outer)


@st.composite
def trajectories(draw, names=TEXTS) -> kavg.Trajectory:
    """Whatever a run may leave, under any name, with series of awkward ones."""
    T, R, d = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    series = st.sampled_from(
        ["F", "grad_norm2", "held out", "a/b", "../%2F", "c\\\0", "mu", "=1,", "series.mu", '"\r']
    )
    numbers = npst.arrays(np.float64, (T, R), elements=st.floats(width=64))
    Ks = draw(st.just([]) | st.lists(st.integers(1, 9), min_size=T, max_size=T))
    rule = st.sampled_from([{}, {"kind": "averaging"}, {"kind": "slowmo", "mu": 0.5, "alpha": 1.0}])
    return kavg.Trajectory(
        name=draw(names),
        P=draw(st.integers(1, 9)),
        K=draw(st.integers(1, 9)),
        B=draw(st.integers(1, 9)),
        rounds=np.arange(T) * draw(st.integers(1, 4)),
        series=draw(st.dictionaries(series, numbers, max_size=4)),
        w=draw(npst.arrays(np.float64, (R, d), elements=st.floats(width=64))),
        v=draw(st.sampled_from([np.empty(0), np.ones((R, d))])),
        seconds=np.linspace(0.0, 1.0, T),
        diverged_at=draw(st.none() | st.integers(0, 99)),
        gammas=draw(st.sampled_from([np.full(T, 0.1), np.empty(0)])),
        outer=draw(rule),
        Ks=np.array(Ks, np.int64),
        counted=np.cumsum(Ks, dtype=np.int64),
        done_steps=sum(Ks) or None,
        next_K=draw(st.none() | st.integers(1, 9)),
    )
