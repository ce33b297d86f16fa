"""Elastic averaging: hand paths, the pull of the old centre, what it equals, what is refused."""

from itertools import islice, pairwise

import numpy as np
import pytest
from helpers.same import same_bits

import kavg
from kavg.aggregations import AllLearners, ElasticAveraging
from kavg.errors import KavgError
from kavg.optimizers import Accumulation, HeavyBall
from kavg.outer import Averaging
from kavg.reports.run_warnings import list_setting_warnings

LINE = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Noiseless(), start=8.0)
NOISY = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(1.0), start=2.0)


def method(alpha, P=2, K=1, gamma=0.5, outer=None, **parts):
    part = ElasticAveraging(alpha)
    return kavg.Algorithm(P, K, gamma, outer or Averaging(), aggregation=part, **parts)


def rounds(problem, algorithm, N, **options):
    return list(islice(kavg.meta_iterations(problem, algorithm, **options), N + 1))


def test_a_hand_path():
    """Learners halve their distance from 0, then are pulled by 1/4 to the centre as it was."""
    found = rounds(LINE, method(0.25), 3)
    assert [now.w.item() for now in found] == [8.0, 4.0, 2.5, 1.4375]
    # 4 + (8 - 4)/4, 2.5 + (4 - 2.5)/4, 1.4375 + (2.5 - 1.4375)/4
    own = [now.state.slots[:, 0, 0, 0].tolist() for now in found[1:]]
    assert own == [[5.0, 5.0], [2.875, 2.875], [1.703125, 1.703125]]


def published(P, alpha, gamma, centre, N):
    """Algorithm 1 of the paper with all workers at once, for F = x^2/2 and tau = 1."""
    found, x = [centre], [centre] * P
    for _ in range(N):
        # Where the gradients are taken, which the pull does not change.
        before = list(x)
        x = [each - alpha * (each - centre) for each in before]
        centre += alpha * sum(each - centre for each in before)
        x = [each - gamma * g for each, g in zip(x, before, strict=True)]
        found.append(centre)
    # The exchange at the beginning of a step is that at the end of the step before.
    return [*found[1:], centre + alpha * sum(each - centre for each in x)]


@pytest.mark.parametrize("P", [1, 4])
def test_the_published_algorithm_takes_the_gradient_before_the_pull(P):
    one = kavg.Algorithm(P, 1, 0.5, Averaging(0.25 * P), aggregation=ElasticAveraging(0.25, "last"))
    found = [now.w.item() for now in rounds(LINE, one, 6)]
    assert found == published(P, 0.25, 0.5, 8.0, 6)
    pulled = kavg.Algorithm(P, 1, 0.5, Averaging(0.25 * P), aggregation=ElasticAveraging(0.25))
    assert abs(rounds(LINE, pulled, 6)[-1].w.item() - found[-1]) > 0.05


def test_a_hand_path_of_the_published_algorithm():
    """From 8 to 4, then 4 + (8 - 4)/4 - 4/2 = 3, then 3 + (4 - 3)/4 - 3/2 = 1.75."""
    one = kavg.Algorithm(2, 1, 0.5, Averaging(), aggregation=ElasticAveraging(0.25, "last"))
    found = rounds(LINE, one, 3)
    assert [now.w.item() for now in found] == [8.0, 4.0, 3.0, 1.75]
    # The last iterate of each learner, and what it is pulled to.
    own = [now.state.slots[1, :, 0, 0].tolist() for now in found[1:]]
    assert own == [[4.0, 5.0], [3.0, 3.25], [1.75, 2.0625]]


def test_without_a_pull_it_does_not_matter_where_the_gradient_is_taken():
    laws = ElasticAveraging(0.0), ElasticAveraging(0.0, "last")
    runs = [
        kavg.simulate(NOISY, kavg.Algorithm(3, 2, 0.1, Averaging(), aggregation=law), rounds=5)
        for law in laws
    ]
    assert np.array_equal(runs[0].w, runs[1].w)
    assert np.array_equal(runs[0].dispersion, runs[1].dispersion)


def test_gradients_at_the_start_are_all_at_the_last_iterate():
    law = ElasticAveraging(0.25, "last")
    one, other = (
        kavg.Algorithm(3, 1, 0.1, Averaging(), aggregation=law, **parts)
        for parts in ({}, {"optimizer": Accumulation()})
    )
    assert same_bits(*(kavg.simulate(NOISY, each, rounds=5) for each in (one, other)))
    # From 8 by two gradients of 8 to 4, pulled to 5; then by two of 4 from there.
    two = kavg.Algorithm(2, 2, 0.25, Averaging(), aggregation=law, optimizer=Accumulation())
    assert [now.w.item() for now in rounds(LINE, two, 2)] == [8.0, 4.0, 3.0]


def test_a_hand_path_with_momentum():
    """EAMSGD with a heavy ball that is kept: m = m/2 + x, x = x - m/2."""
    found = rounds(LINE, method(0.5, P=1, optimizer=HeavyBall(0.5, "kept")), 2)
    # m = 8, x = 4, pulled to 6; then m = 10, x = 1, pulled to 2.5 by the centre 4.
    assert found[1].state.slots[0, :, 0, 0].tolist() == [8.0, 6.0]
    assert found[2].state.slots[0, :, 0, 0].tolist() == [10.0, 2.5]
    assert [now.w.item() for now in found] == [8.0, 4.0, 1.0]


def test_a_full_pull_is_to_the_centre_before_the_round():
    found = rounds(NOISY, method(1.0, P=5), 4)
    for before, now in pairwise(found):
        np.testing.assert_allclose(
            now.state.slots[:, 0], np.tile(before.w, (5, 1, 1)), rtol=0, atol=1e-14
        )


def test_without_a_pull_one_learner_is_plain_sgd():
    one, other = (
        kavg.simulate(LINE, kavg.Algorithm(1, 3, 0.5, Averaging(), aggregation=part), rounds=5)
        for part in (ElasticAveraging(0.0), AllLearners())
    )
    assert np.array_equal(one.F, other.F)


@pytest.mark.parametrize("tile", [1, 2])
@pytest.mark.parametrize("mean", ["exact", "allreduce"])
def test_learners_without_noise_are_passed_over_again(tile, mean):
    """Their dispersion loses all bits, so their steps are taken once more, and leave nothing."""
    runs = [kavg.simulate(LINE, method(0.25, P=4), rounds=4, mean=mean, tile=t) for t in (tile, 4)]
    assert same_bits(*runs)
    assert (runs[0].dispersion == 0).all()


def test_averaged_slots_are_refused():
    with pytest.raises(KavgError, match=r"has no average .* use 'kept' or 'reset'"):
        method(0.25, optimizer=HeavyBall(0.5, "averaged"))


@pytest.mark.parametrize("alpha", [-0.1, 1.5, np.nan])
def test_a_pull_is_a_share(alpha):
    with pytest.raises(KavgError, match=r"alpha must be a number from 0 to 1, got alpha="):
        ElasticAveraging(alpha)


def test_a_centre_that_moves_beyond_the_mean_is_warned_of():
    assert list_setting_warnings(LINE, [method(0.25, P=8)]) == []
    (warning,) = list_setting_warnings(LINE, [method(0.25, P=8, outer=Averaging(alpha=2.0))])
    assert "outer alpha = 2 of the way" in warning
    assert "(the paper's step is P alpha = 2)" in warning
