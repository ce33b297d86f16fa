"""Asynchronous SGD: hand paths, laws of staleness, what it equals, and what is refused."""

from itertools import islice

import numpy as np
import pytest
from helpers.ranks import run_ranks

import kavg
from kavg.aggregations import AllLearners, StaleGradients
from kavg.errors import KavgError
from kavg.optimizers import HeavyBall
from kavg.outer import Averaging, BlockMomentum
from kavg.schedules import Piecewise

LINE = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Noiseless(), start=8.0)
NOISY = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(1.0), start=2.0)


def method(aggregation, P=2, K=1, gamma=0.5, **parts):
    rule = parts.pop("outer", Averaging())
    return kavg.Algorithm(P, K, gamma, rule, aggregation=aggregation, **parts)


def rounds(problem, algorithm, N, **options):
    return list(islice(kavg.meta_iterations(problem, algorithm, **options), N + 1))


def test_a_hand_path():
    """Two learners in turn, each one update behind: u = u - u_before/2, from 8 on."""
    found = rounds(LINE, method(StaleGradients("constant", 1)), 3)
    # 8 - 8/2 = 4, 4 - 8/2 = 0; 0 - 4/2 = -2, -2 - 0 = -2; -2 + 2/2 = -1, -1 + 2/2 = 0.
    assert [now.w.item() for now in found] == [8.0, 0.0, -2.0, 0.0]
    assert [now.state.slots.item() for now in found[1:]] == [4.0, -2.0, -1.0]
    # (0 + 4^2)/2, then (4^2 + 2^2)/2 and (0 + 1^2)/2.
    assert [now.dispersion.item() for now in found] == [0.0, 8.0, 10.0, 0.5]


def test_the_iterates_before_the_start_are_the_start():
    """With a staleness of 3 the first four updates all begin at 8."""
    found = rounds(LINE, method(StaleGradients("constant", 3), P=4), 1)
    assert found[1].w.item() == 8 - 4 * 4
    assert found[1].state.slots[0, :, 0, 0].tolist() == [4.0, 0.0, -4.0]


def test_each_replica_has_a_staleness_of_its_own():
    part, rounds_done = StaleGradients(longest=3), 3
    u = np.full((2, 4 * rounds_done + 4), 8.0)
    for n in range(rounds_done):
        drawn = part.draw_staleness(seed=3, n=n + 1, R=2, P=4)
        for j in range(4):
            newest = 4 * n + j + 3
            for r in range(2):
                u[r, newest + 1] = u[r, newest] - u[r, newest - drawn[r, j]] / 2
    found = rounds(LINE, method(part, P=4), rounds_done, replicas=2, seed=3)
    assert np.array([now.w[:, 0] for now in found]).T.tolist() == u[:, 3::4].tolist()
    assert u[0, -1] != u[1, -1]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_without_staleness_a_single_learner_has_the_bits_of_k_avg(dtype):
    one, other = (
        kavg.simulate(NOISY, method(part, P=1, K=3), rounds=6, replicas=2, seed=4, dtype=dtype)
        for part in (StaleGradients(), AllLearners())
    )
    assert np.array_equal(one.w, other.w)
    assert np.array_equal(one.F, other.F)


def test_without_staleness_or_noise_learners_in_turn_are_one_that_works_longer():
    turns = rounds(LINE, method(StaleGradients(mean=0), P=4, gamma=0.3), 3)
    alone = rounds(LINE, method(AllLearners(), P=1, gamma=0.3), 12)
    assert [now.w.item() for now in turns] == [now.w.item() for now in alone[::4]]
    assert (turns[-1].dispersion == 0).all()


def test_each_learner_draws_its_own_noise():
    """One round of two learners without staleness, against two runs of the noise they draw."""
    problem = kavg.Problem(kavg.objectives.Linear(dim=2), kavg.oracles.Gaussian(1.0))
    turns = rounds(problem, method(StaleGradients(mean=0), gamma=1.0), 2)
    mean = rounds(problem, method(AllLearners(), gamma=1.0), 2)
    # Gradients do not depend on the iterate: the sum of both displacements is twice their mean.
    for a, b in zip(turns, mean, strict=True):
        np.testing.assert_allclose(a.w, 2 * b.w, rtol=0, atol=1e-14)


def test_a_schedule_changes_the_step_of_later_rounds():
    falling = Piecewise((0.5, 0.25), (1,))
    found = rounds(LINE, method(StaleGradients(mean=0), gamma=falling), 2)
    assert [now.w.item() for now in found] == [8.0, 2.0, 2 * 0.75**2]


LAWS = {
    "geometric": (StaleGradients(), 4, [0.25 * 0.75**k for k in range(80)] + [0.75**80]),
    "cut": (StaleGradients(mean=1, longest=2), 4, [0.5, 0.25, 0.25]),
    "uniform": (StaleGradients("uniform"), 3, [0.2] * 5),
    "uniform, given": (StaleGradients("uniform", 1), 9, [1 / 3] * 3),
    "constant": (StaleGradients("constant"), 3, [0.0, 0.0, 1.0]),
    "none": (StaleGradients(mean=0), 5, [1.0]),
    "one learner": (StaleGradients(), 1, [1.0]),
}


@pytest.mark.parametrize("name", LAWS)
def test_the_probabilities_of_a_law(name):
    part, P, expected = LAWS[name]
    np.testing.assert_allclose(part.list_probabilities(P), expected, rtol=0, atol=1e-15)
    assert part.count_past(P) == len(expected) - 1


@pytest.mark.parametrize("name", LAWS)
def test_draws_have_their_probabilities(name):
    """Every count within 4.4 deviations: at most 81 of them, a level of 1e-3 for each law."""
    part, P, expected = LAWS[name]
    N = 40_000 // P
    drawn = np.concatenate([part.draw_staleness(1, n, N // 10, P).ravel() for n in range(1, 11)])
    counts = np.bincount(drawn, minlength=len(expected))
    assert len(counts) == len(expected)
    expected = np.array(expected) * drawn.size
    # Rare ones together, as their counts are far from normal.
    rare = expected < 20
    common = zip(counts[~rare], expected[~rare], strict=True)
    pairs = [(counts[rare].sum(), expected[rare].sum()), *common]
    for found, mean in pairs:
        room = 4.4 * np.sqrt(mean * (1 - mean / drawn.size) + 1e-9)
        assert abs(found - mean) <= room + 1


def test_draws_follow_from_their_address():
    part = StaleGradients()
    drawn = part.draw_staleness(7, 5, 6, 8)
    assert np.array_equal(part.draw_staleness(7, 5, 2, 8), drawn[:2])
    others = [part.draw_staleness(*address, 6, 8) for address in ((8, 5), (7, 6))]
    assert all((other != drawn).mean() > 0.5 for other in others)


CONTRADICTIONS = {
    "momentum": ({"outer": BlockMomentum(0.5)}, "needs the outer rule averaging"),
    "kept": ({"optimizer": HeavyBall(0.5, "kept")}, "at_average='kept'; use 'reset'"),
    "averaged": ({"optimizer": HeavyBall(0.5, "averaged")}, "at_average='averaged'; use 'reset'"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_one_clear_error(name):
    parts, message = CONTRADICTIONS[name]
    with pytest.raises(KavgError, match=message):
        method(StaleGradients(), **parts)


def test_a_law_is_not_cut_below_its_mean():
    method(StaleGradients(mean=9.0, longest=9), P=4)
    for law, mean in ((StaleGradients(mean=9.5, longest=9), "9.5"), (StaleGradients(longest=6), 7)):
        with pytest.raises(KavgError, match=f"at least the mean .* got longest=.* mean of {mean};"):
            method(law, P=8)


BAD = {
    "half an update": ({"law": "constant", "mean": 0.5}, "a constant staleness is a whole number"),
    "uniform": ({"law": "uniform", "mean": 0.7}, "up to 2 times its mean, got mean=0.7; use law="),
    "longest": ({"law": "uniform", "longest": 3}, "a uniform one ends by itself, got longest=3"),
    "a name": ({"law": "poisson"}, "law must be one of geometric, uniform, constant"),
    "negative": ({"mean": -1}, "mean must be a finite number of at least 0"),
    "no past": ({"longest": 0}, r"longest must be .*leave it out for 20 \(mean \+ 1\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_other_laws_are_refused(name):
    settings, message = BAD[name]
    with pytest.raises(KavgError, match=message):
        StaleGradients(**settings)


def test_a_request_reaches_all_ranks():
    def ask(comm):
        found = kavg.meta_iterations(
            NOISY, method(StaleGradients()), comm=comm, request=lambda: comm.Get_rank()
        )
        return [now.requested for now in islice(found, 3)]

    assert run_ranks(3, ask) == [[0, 3, 3]] * 3


def test_a_rank_that_fails_stops_all():
    def run(comm):
        fails = comm.Get_rank() == 1

        def gamma(n):
            if n == 3 and fails:
                raise RuntimeError("no step")
            return 0.1

        try:
            kavg.simulate(NOISY, method(StaleGradients(), gamma=gamma), rounds=4, comm=comm)
        except (KavgError, RuntimeError) as error:
            return str(error)

    texts = run_ranks(2, run)
    assert "rank 1" in texts[0]
    assert "no step" in texts[0]
    assert "no step" in texts[1]
