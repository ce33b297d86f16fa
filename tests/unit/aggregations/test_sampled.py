"""A random subset of the learners: who takes part, what is averaged, and what is refused."""

from itertools import islice

import numpy as np
import pytest
from helpers.own_shifts import bowl_of
from helpers.same import same_bits
from helpers.spy import SpyOracle

import kavg
from kavg import Algorithm, aggregations, optimizers, outer
from kavg.aggregations.addressed_words import DrawPurpose
from kavg.aggregations.subsets import draw_subsets
from kavg.base import RoundDraw
from kavg.errors import KavgError

AVERAGING = outer.Averaging()
NOISY = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)
B = (0.0, 2.0, 4.0, 10.0)
FAIR = (1.0, 1.0, 1.0, 1.0)


def method(m=2, weights=None, scaling="unbiased", P=4, K=1, gamma=0.5, **parts):
    sampled = aggregations.SampledLearners(m, weights, scaling)
    return Algorithm(P, K, gamma, AVERAGING, aggregation=sampled, **parts)


def run(one, problem=NOISY, **options):
    return kavg.simulate(problem, one, **{"rounds": 4, "replicas": 2, "seed": 5} | options)


def rounds_of(one, problem, count, **options):
    rounds = kavg.meta_iterations(problem, one, **{"seed": 5} | options)
    return list(islice(rounds, count + 1))


def drawn(n, m=2, P=4, seed=5, replica=0):
    """The learners of the m smallest words, drawn here from Philox itself."""
    generator = np.random.Philox(
        key=np.array([seed, 2], np.uint64), counter=np.array([0, 0, n, 0], np.uint64)
    )
    words = generator.random_raw((replica + 1) * P)[-P:].tolist()
    return sorted(sorted(range(P), key=words.__getitem__)[:m])


def test_a_round_by_hand():
    """A step of 1/2 from w takes learner j by -(w + b_j)/2; the mean is of the drawn two alone."""
    w = 0.0
    seen = set()
    for done in rounds_of(method(), bowl_of(B), 12)[1:]:
        members = drawn(done.n)
        seen.add(tuple(members))
        moved = [-(w + B[j]) / 2 for j in members]
        mean = sum(moved) / 2
        assert done.w.item() == pytest.approx(w + mean, rel=1e-14)
        spread = sum((one - mean) ** 2 for one in moved) / 2
        assert done.dispersion.item() == pytest.approx(spread, rel=1e-12, abs=1e-14)
        w = done.w.item()
    assert len(seen) > 3


def test_each_replica_has_its_own_subset():
    chosen = draw_subsets(DrawPurpose.SUBSET, 2, 4, RoundDraw(seed=5, n=3, R=3))
    for replica in range(3):
        assert np.flatnonzero(chosen[:, replica]).tolist() == drawn(3, replica=replica)
    assert len({tuple(column) for column in chosen.T}) > 1


def test_every_subset_is_equally_likely():
    """Chi-squared of 10 subsets over 4000 draws; level 1e-6 (9 degrees of freedom: 45.1)."""
    draws = draw_subsets(DrawPurpose.SUBSET, 2, 5, RoundDraw(seed=1, n=1, R=4000))
    _, counts = np.unique(draws.T, axis=0, return_counts=True)
    assert len(counts) == 10
    assert np.square(counts - 400).sum() / 400 < 45.1


def test_purposes_and_rounds_are_drawn_apart():
    here = RoundDraw(seed=1, n=1, R=1)
    first = draw_subsets(DrawPurpose.SUBSET, 8, 16, here)
    for purpose, draw in (
        (DrawPurpose.STRAGGLERS, here),
        (DrawPurpose.SUBSET, here._replace(n=2)),
        (DrawPurpose.SUBSET, here._replace(seed=2)),
    ):
        assert not np.array_equal(first, draw_subsets(purpose, 8, 16, draw))


@pytest.mark.parametrize("mean", ["exact", "allreduce"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_learners_are_the_plain_mean(dtype, mean):
    plain = run(Algorithm(4, 3, 0.05, AVERAGING), dtype=dtype, mean=mean)
    for weights, scaling in ((None, "unbiased"), (FAIR, "unbiased"), (FAIR, "normalised")):
        all_of_them = method(4, weights, scaling, K=3, gamma=0.05)
        assert same_bits(plain, run(all_of_them, dtype=dtype, mean=mean))


@pytest.mark.parametrize("scaling", ["unbiased", "normalised"])
def test_equal_weights_change_no_bit(scaling):
    equal = method(weights=(3.0,) * 4, scaling=scaling, gamma=0.05)
    assert same_bits(run(method(gamma=0.05)), run(equal))


def test_weights_by_hand():
    """p = (1, 2, 2, 3)/8: of a pair S the mean is of 4 p_j d_j, or of 2 p_j d_j / p_S."""
    weights = (1.0, 2.0, 2.0, 3.0)
    for scaling in ("unbiased", "normalised"):
        done = rounds_of(method(weights=weights, scaling=scaling), bowl_of(B), 1)[1]
        members = drawn(1)
        whole = 2.0 if scaling == "unbiased" else sum(weights[j] for j in members) / 2
        terms = [weights[j] / whole * (-B[j] / 2) for j in members]
        assert done.w.item() == pytest.approx(sum(terms) / 2, rel=1e-14)
        spread = sum((one - sum(terms) / 2) ** 2 for one in terms) / 2
        assert done.dispersion.item() == pytest.approx(spread, rel=1e-12, abs=1e-14)


def test_the_others_are_never_read():
    """Learner 3 has no numbers, and is not drawn in these rounds."""
    n, seed = 1, next(seed for seed in range(99) if 3 not in drawn(1, seed=seed))
    broken = bowl_of((*B[:3], np.nan))
    for tile in (1, 2, 4):
        (done,) = list(
            islice(kavg.meta_iterations(broken, method(), seed=seed, tile=tile), n, n + 1)
        )
        assert np.isfinite(done.w).all()
        assert np.isfinite(done.dispersion).all()


@pytest.mark.parametrize("tile", [1, 3, 8])
@pytest.mark.parametrize("mean", ["exact", "allreduce"])
def test_a_second_pass_for_the_dispersion_leaves_the_others_out(mean, tile):
    """Learners that are alike have dispersion 0, though 5 of 8 are left out."""
    alike = kavg.Problem(kavg.objectives.Quadratic((1.0, 0.3)), kavg.oracles.Noiseless(), 7.0)
    found = run(method(m=3, P=8, gamma=0.1), alike, mean=mean, tile=tile)
    assert not found.dispersion.any()
    # Differences of 1e-9 beside displacements of 1: the difference of squares has lost them.
    b = tuple(-10.0 + 1e-9 * j for j in range(8))
    done = kavg.simulate(bowl_of(b), method(m=3, P=8), rounds=1, seed=5, mean=mean, tile=tile)
    ends = np.array([5.0 - 0.5e-9 * j for j in drawn(1, m=3, P=8)])
    assert done.dispersion[-1, 0] == pytest.approx(np.var(ends), rel=1e-5)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"m": 5}, "m must be at most P, got m=5 for P=4; use m=P"),
        ({"m": 0}, "m must be a whole number of at least 1, got m=0"),
        ({"weights": (1.0, 2.0)}, "weights must be one number for each of the P=4 learners, got 2"),
        ({"weights": (1.0, 2.0, 0.0, 1.0)}, r"weights\[2\] must be a finite number above 0"),
        ({"scaling": "fair"}, "scaling must be"),
        ({"weights": (1e308,) * 4}, r"weights must have a finite sum, got one of 1e\+308; divide"),
        (
            {"m": 1, "optimizer": optimizers.HeavyBall(0.5)},
            "m=1 leaves a single learner, and so no average at which the state of the optimizer is "
            "reset, got HeavyBall.*; use SGD, or m=2 or more",
        ),
    ],
)
def test_contradictions_are_refused(parts, words):
    with pytest.raises(KavgError, match=words):
        method(**parts)


@pytest.mark.parametrize("state", ["kept", "averaged"])
def test_state_that_some_learners_miss_is_refused(state):
    with pytest.raises(KavgError, match="only some learners take part in a round, got at_average"):
        method(optimizer=optimizers.HeavyBall(0.5, at_average=state))
    method(optimizer=optimizers.HeavyBall(0.5, at_average="reset"))


@pytest.mark.parametrize("mean", ["exact", "allreduce"])
@pytest.mark.parametrize("replicas", [1, 3])
def test_few_of_many_are_computed_alone(mean, replicas):
    """Two of 100 learners: tiles of 1, where nobody is left out of a call, and of 20 and of 100."""
    few = method(m=2, P=100, gamma=0.05, K=3)
    options = {"mean": mean, "replicas": replicas, "rounds": 12}
    runs = [run(few, tile=tile, **options) for tile in (1, 20, 100)]
    assert same_bits(runs[0], runs[1])
    assert same_bits(runs[0], runs[2])


def test_no_steps_are_computed_for_those_who_are_left_out():
    spy = SpyOracle(NOISY.oracle)
    few = method(m=2, P=100, gamma=0.05, K=3)
    rounds_of(few, kavg.Problem(NOISY.objective, spy, NOISY.start), 5)
    # Learners 0 and 1 are tried before the first round.
    assert {*spy.steps} - {0, 1} == {j for n in range(1, 6) for j in drawn(n, P=100)} - {0, 1}


@pytest.mark.parametrize("tile", [1, 30, 60])
def test_a_second_pass_over_few_of_many(tile):
    """Rounds with one part and with several take turns, so that what is stored is not mistaken."""
    b = tuple(-10.0 + 1e-9 * j for j in range(60))
    found = rounds_of(method(m=3, P=60), bowl_of(b), 12, tile=tile)
    w = 0.0
    for done in found[1:]:
        ends = np.array([-(w + b[j]) / 2 for j in drawn(done.n, m=3, P=60)])
        assert done.dispersion.item() == pytest.approx(np.var(ends), rel=1e-5)
        w = done.w.item()
