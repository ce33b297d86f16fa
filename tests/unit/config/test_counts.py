"""Runs of more gradients or local steps than can be counted, where K changes."""

from __future__ import annotations

import pytest

import kavg
from kavg.config.sizes.counts import (
    check_gradient_count,
    check_staleness,
    check_step_count,
    check_whole_blocks,
)
from kavg.errors import KavgError
from kavg.oracles import Gaussian, Noiseless
from kavg.periods import DispersionControl, PiecewisePeriod, QuadraticSynchronization

ROOT = kavg.schedules.InverseSqrt(0.1)
"""With QSR of alpha = 0.1 the K of round n is n."""


def method(K, gamma=0.1, P=4):
    return kavg.Algorithm(P, K, gamma, kavg.outer.Averaging(), name="it")


GROWING = method(QuadraticSynchronization(alpha=0.1), gamma=ROOT)


@pytest.mark.parametrize(
    ("K", "rounds", "fits"),
    [
        (PiecewisePeriod((2, 4), (3,)), 9, True),
        (PiecewisePeriod((2, 3), (3,)), 3, True),
        (PiecewisePeriod((2, 3), (3,)), 4, False),
    ],
)
def test_rounds_are_whole_blocks_of_groups_or_are_refused(K, rounds, fits):
    law = kavg.aggregations.GroupedLearners(K1=2, groups=2)
    one = kavg.Algorithm(4, K, 0.1, kavg.outer.Averaging(), "it", aggregation=law)
    if fits:
        check_whole_blocks([one], rounds)
        return
    with pytest.raises(KavgError, match="it: K1 must divide K in every round, got K1=2 and K=3 in"):
        check_whole_blocks([one], rounds)


def test_a_K_that_cannot_be_counted_is_said_of_its_method():
    one = method(QuadraticSynchronization(alpha=1e300))
    for check in (check_gradient_count, check_step_count):
        with pytest.raises(KavgError, match=r"^it: K must be below 2\^63, got .* most$"):
            check([one], 3, 1 if check is check_gradient_count else Gaussian(1.0))


@pytest.mark.parametrize(
    ("law", "rounds", "fits"),
    [
        ({}, 1, True),  # a mean of P - 1
        ({"mean": 11.9}, 3, True),
        ({"mean": 12}, 3, False),
        ({"law": "constant", "mean": 4}, 1, False),
        ({"law": "constant", "mean": 4}, 2, True),
    ],
)
def test_updates_are_younger_than_the_run_or_are_refused(law, rounds, fits):
    part = kavg.aggregations.StaleGradients(**law)
    one = kavg.Algorithm(4, 1, 0.1, kavg.outer.Averaging(), "it", aggregation=part)
    if fits:
        check_staleness([one], rounds)
        return
    with pytest.raises(KavgError, match="it: the mean staleness must be below the rounds P = "):
        check_staleness([one], rounds)


@pytest.mark.parametrize(
    ("one", "rounds", "fits"),
    [
        (method(4), 2**30, True),
        (method(5), 2**30, False),
        (method(PiecewisePeriod((1, 4), (9,))), 2**30, True),
        (method(PiecewisePeriod((1, 5), (9,))), 2**30, False),
        # 1 + 2 + ... + n is n^2 / 2, first added up and then estimated.
        (GROWING, 9_000, True),
        (GROWING, 90_000, True),
        (GROWING, 95_000, False),
        (GROWING, 10**12, False),
        (method(DispersionControl(1.0, most=4)), 2**30, True),
        (method(DispersionControl(1.0, most=5)), 2**30, False),
    ],
)
def test_local_steps_have_addresses_or_are_refused(one, rounds, fits):
    check_step_count([one], rounds, Noiseless())
    if fits:
        check_step_count([one], rounds, Gaussian(1.0))
        return
    with pytest.raises(KavgError, match=r"it: rounds=.* are more than 2\^32 local steps"):
        check_step_count([one], rounds, Gaussian(1.0))


def test_gradients_are_counted_by_a_changing_K_too():
    check_gradient_count([GROWING], 2**30, B=1)
    with pytest.raises(KavgError, match=r"it: rounds=.*K=Quadratic.* are 2\^63 gradients or more"):
        check_gradient_count([GROWING], 2**31, B=2)
    with pytest.raises(KavgError, match="which cannot be counted"):
        check_gradient_count([method(DispersionControl(1.0, most=2**30))], 2**31, B=1)
