"""What every aggregation promises, and what those promise that learners contribute to unequally."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers.constructors import arguments

from kavg import Algorithm, aggregations, outer
from kavg.base import RoundDraw, WeighsLearners

P, K = 6, 4
DRAW = RoundDraw(seed=3, n=7, R=5)
WEIGHTS = (1.0, 2.0, 0.5, 3.0, 1.0, 1.5)
WEIGHED = {
    "all of sampled": aggregations.SampledLearners(P),
    "sampled": aggregations.SampledLearners(2),
    "sampled, unbiased": aggregations.SampledLearners(3, WEIGHTS),
    "sampled, normalised": aggregations.SampledLearners(3, WEIGHTS, "normalised"),
    "own steps": aggregations.OwnSteps((1, 4, 2, 4, 3, 1)),
    "own steps, FedNova": aggregations.OwnSteps((1, 4, 2, 4, 3, 1), "fednova"),
    "stragglers": aggregations.Stragglers(2, K_slow=1),
    "stragglers, FedNova": aggregations.Stragglers(4, K_slow=3, weights="fednova"),
}
each_weighed = pytest.mark.parametrize("name", WEIGHED)


def as_arrays(shares, learners=P, R=DRAW.R):
    """Who takes part, factors and steps as whole arrays ``(learners, R)``."""
    parts = zip(shares, (True, 1.0, K), strict=True)
    shape = (learners, R)
    return [np.broadcast_to(neutral if part is None else part, shape) for part, neutral in parts]


@pytest.mark.parametrize("kind", aggregations.KINDS)
def test_a_kind_is_a_final_frozen_value_that_says_where_its_bits_are_the_same(kind):
    cls = aggregations.KINDS[kind]
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen
    assert getattr(cls, "__final__", False)
    assert cls.same_bits == "any machine"
    one = cls(**arguments(cls))
    assert Algorithm(1, 1, 0.1, outer.Averaging(), aggregation=one).aggregation is one


def test_the_table_has_every_kind_to_which_learners_contribute_unequally():
    unequal = {
        cls for cls in aggregations.KINDS.values()
        if isinstance(cls(**arguments(cls)), WeighsLearners)
    }  # fmt: skip
    assert unequal == {type(law) for law in WEIGHED.values()}


@each_weighed
def test_ranks_get_their_part_of_what_all_have(name):
    law = WEIGHED[name]
    whole = as_arrays(law.share(range(P), P, K, DRAW))
    for learners in (range(3), range(2, 5), range(5, P), range(P, P)):
        parts = as_arrays(law.share(learners, P, K, DRAW), len(learners))
        for part, of_all in zip(parts, whole, strict=True):
            np.testing.assert_array_equal(part, of_all[learners.start : learners.stop])


@each_weighed
def test_the_first_replicas_do_not_depend_on_how_many_follow(name):
    law = WEIGHED[name]
    few = as_arrays(law.share(range(P), P, K, DRAW._replace(R=2)), R=2)
    many = as_arrays(law.share(range(P), P, K, DRAW))
    for part, of_many in zip(few, many, strict=True):
        np.testing.assert_array_equal(part[:, :2], of_many[:, :2])


@each_weighed
def test_the_work_of_a_round_is_what_its_learners_do(name):
    law = WEIGHED[name]
    takes_part, factors, steps = as_arrays(law.share(range(P), P, K, DRAW))
    assert set((takes_part * steps).sum(axis=0).tolist()) == {law.count_steps(P, K)}
    assert set(takes_part.sum(axis=0).tolist()) == {law.count_terms(P)}
    assert (factors > 0).all()
    assert steps.min() >= 1
    assert steps.max() <= K


@pytest.mark.parametrize("name", [name for name in WEIGHED if "unbiased" not in name])
def test_equal_displacements_a_step_are_kept_by_the_mean(name):
    """Factors of those who take part have mean 1; FedNova's do so times the steps."""
    law = WEIGHED[name]
    takes_part, factors, steps = as_arrays(law.share(range(P), P, K, DRAW))
    if name.endswith("FedNova"):
        np.testing.assert_allclose(factors * steps, law.count_steps(P, K) / P, rtol=1e-14)
    else:
        mean = (takes_part * factors).sum(axis=0) / law.count_terms(P)
        np.testing.assert_allclose(mean, 1.0, rtol=1e-14)
