"""Local optimizers by hand: their steps, their slots at the average, and which equal another."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from helpers.methods import METHODS, method
from helpers.same import same_bits

import kavg
from kavg.base import LocalOptimizer
from kavg.engine.local.local_steps import LocalSteps
from kavg.engine.local.round_method import RoundSteps
from kavg.objectives.instances import small_settings
from kavg.optimizers import SGD, Adam, AdamW, HeavyBall, NesterovSteps
from kavg.portability import find_same_bits
from kavg.ranges import check_range

SLOPE = kavg.Problem(kavg.objectives.Linear(dim=1), kavg.oracles.Noiseless(), start=0.0)
NOISY = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)
STATES = ("reset", "kept", "averaged")
WITH_SLOTS = [HeavyBall, NesterovSteps, Adam, AdamW]


def path(optimizer, rounds=2, problem=SLOPE, **parts):
    """``w`` of one coordinate after each round of K = 3 steps of size 1, on the slope F' = 1."""
    algorithm = method(**{"gamma": 1.0, "optimizer": optimizer} | parts)
    iterations = kavg.meta_iterations(problem, algorithm)
    return [next(iterations).w.item() for _ in range(rounds + 1)]


def run(optimizer, **parts):
    return kavg.simulate(NOISY, method(optimizer=optimizer, **parts), rounds=5, replicas=2, seed=5)


def step(optimizer, x, g, slots=(), gamma=1.0, age=1):
    """``x`` and the slots after one step, of vectors."""
    x, g = (np.array([[one]], np.float64) for one in (x, g))
    slots = np.array(slots, np.float64).reshape(len(slots), *x.shape)
    optimizer.plan(1, 1, x.shape[-1], "float64")(x, g, slots, np.array(gamma), age)
    return x[0, 0], slots[:, 0, 0]


# --- by hand


def test_the_heavy_ball_by_hand():
    """m is 1, 3/2, 7/4 in the first round, and goes on with 15/8 where it is not reset."""
    assert path(HeavyBall(0.5, "reset")) == [0.0, -4.25, -8.5]
    for state in ("kept", "averaged"):
        assert path(HeavyBall(0.5, state)) == [0.0, -4.25, -10.03125]


def test_nesterov_by_hand():
    """Steps of 1 + m/2, with the m of the heavy ball."""
    assert path(NesterovSteps(0.5, "reset")) == [0.0, -5.125, -10.25]
    for state in ("kept", "averaged"):
        assert path(NesterovSteps(0.5, state)) == [0.0, -5.125, -11.015625]


@pytest.mark.parametrize("state", STATES)
def test_adam_by_hand(state):
    """On a slope the corrected means are 1 at any age, so the treatments are one method."""
    adam = Adam(beta1=0.5, beta2=0.5, eps=1.0, at_average=state)
    assert path(adam, rounds=3) == [0.0, -1.5, -3.0, -4.5]


def test_two_steps_of_adam_by_hand():
    """With beta2 = 0 the root is |g|: steps of 1 / (1 + 1), then of (2/3) / (1/2 + 1)."""
    bowl = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Noiseless(), start=1.0)
    adam = Adam(beta1=0.5, beta2=0.0, eps=1.0)
    w = path(adam, 1, bowl, K=2)
    np.testing.assert_allclose(w, [1.0, 0.5 - 4 / 9], rtol=1e-15)


def test_adamw_by_hand():
    """x is 3/4 x - 1/2 a step: 0, -1/2, -7/8, -37/32; in Adam the decay is in the gradient."""
    adamw = AdamW(0.5, 0.5, eps=1.0, weight_decay=0.25)
    assert path(adamw, rounds=1) == [0.0, -1.15625]
    # With gamma = 1/2 a decay of 1, and a step of 3/8.
    assert step(adamw, [8.0], [-3.0], [[0.0], [0.0]], gamma=0.5)[0] == 7.375
    x, slots = step(Adam(0.5, 0.5, eps=1.0, weight_decay=0.25), [8.0], [-3.0], [[0.0], [0.0]])
    assert (x, *slots) == (8.5, -0.5, 0.5)


def test_slots_of_adam_are_means():
    x, (m, v) = step(Adam(0.75, 0.5), [0.0], [4.0], [[8.0], [6.0]], age=3)
    assert (m, v) == (7.0, 11.0)
    mean, square = 7.0 / (1 - 0.75**3), 11.0 / (1 - 0.5**3)
    np.testing.assert_allclose(x, -mean / (square**0.5 + 1e-8), rtol=1e-15)


def test_weight_decay_adds_to_the_gradient_and_is_not_clipped():
    assert step(SGD(weight_decay=0.5), [4.0], [1.0])[0] == 1.0
    assert step(HeavyBall(0.5, weight_decay=0.5), [4.0], [1.0], [[2.0]])[0] == 0.0
    assert step(NesterovSteps(0.5, weight_decay=0.5), [4.0], [1.0], [[2.0]])[0] == -1.0
    x, _ = step(SGD(clip=0.5, weight_decay=0.5), [4.0], [3.0])
    np.testing.assert_allclose(x, 4.0 - 0.5 / (1 + 1e-6 / 3) - 2.0, rtol=1e-12)


# --- clipping


def test_gradients_are_clipped_by_their_norm():
    g = [3.0, 4.0]
    np.testing.assert_allclose(step(SGD(clip=1.0), [0, 0], g)[0], [-0.6, -0.8], rtol=1e-6)
    assert np.array_equal(step(SGD(clip=5.1), [0, 0], g)[0], [-3.0, -4.0])
    exact = np.array(g) / (5.0 + 1e-6)
    np.testing.assert_allclose(step(SGD(clip=1.0), [0, 0], g)[0], -exact, rtol=1e-15)


def test_a_gradient_of_zero_is_not_divided_by_zero():
    assert np.array_equal(step(SGD(clip=1.0), [1.0, 2.0], [0.0, 0.0])[0], [1.0, 2.0])


def test_each_learner_and_replica_is_clipped_by_itself():
    g = np.array([[[3.0, 4.0], [0.3, 0.4]], [[30.0, 40.0], [0.0, 0.0]]])
    x = np.zeros_like(g)
    SGD(clip=1.0).plan(2, 2, 2, "float64")(x, g, np.empty((0, *x.shape)), np.array(1.0), 1)
    np.testing.assert_allclose(-x, [[[0.6, 0.8], [0.3, 0.4]], [[0.6, 0.8], [0.0, 0.0]]], rtol=1e-6)


@pytest.mark.parametrize("cls", [SGD, *WITH_SLOTS])
def test_a_clip_that_is_never_reached_changes_no_bit(cls):
    given = small_settings(cls)
    plain, clipped = run(cls(**given)), run(cls(**given, clip=1e9))
    assert same_bits(plain, clipped)
    assert not same_bits(plain, run(cls(**given, clip=0.5)))


# --- one method is another


def test_degenerate_methods_are_sgd():
    sgd = run(SGD())
    assert same_bits(sgd, run(HeavyBall(beta=0.0)))
    assert same_bits(sgd, run(NesterovSteps(beta=0.0)))
    # One step from m = 0.
    assert same_bits(run(SGD(), K=1), run(HeavyBall(beta=0.9), K=1))
    assert not same_bits(run(SGD(), K=1), run(HeavyBall(0.9, "kept"), K=1))


def test_nesterov_of_one_step_is_sgd_with_longer_steps():
    long = run(SGD(), K=1, gamma=1.5 * 0.05)
    np.testing.assert_allclose(run(NesterovSteps(0.5), K=1).w, long.w, rtol=1e-12)


def test_without_decay_adamw_is_adam():
    for state in STATES:
        adam, adamw = Adam(at_average=state), AdamW(weight_decay=0.0, at_average=state)
        assert same_bits(run(adam), run(adamw))
    assert not same_bits(run(Adam(weight_decay=0.1)), run(AdamW(weight_decay=0.1)))


@pytest.mark.parametrize("cls", WITH_SLOTS)
def test_the_slots_of_one_learner_are_their_own_mean(cls):
    given = small_settings(cls)
    kept, averaged = (run(cls(**given, at_average=state), P=1) for state in STATES[1:])
    assert np.array_equal(kept.w, averaged.w)
    assert not np.array_equal(kept.w, run(cls(**given), P=1).w)


@pytest.mark.parametrize("cls", WITH_SLOTS)
def test_the_three_treatments_are_three_algorithms(cls):
    given = small_settings(cls)
    runs = [run(cls(**given, at_average=state)) for state in STATES]
    assert len({each.w.tobytes() for each in runs}) == 3


def test_adam_that_is_reset_steps_by_signs_at_first():
    x, _ = step(Adam(eps=1e-300), [1.0, 1.0, 1.0], [3.0, -2.0, 0.1], np.zeros((2, 3)), gamma=0.25)
    np.testing.assert_allclose(x, [0.75, 1.25, 0.75], rtol=1e-12)


def test_weight_decay_of_sgd_is_another_quadratic():
    def ends(h, optimizer):
        noise = kavg.oracles.Gaussian(sigma2=1.0)
        problem = kavg.Problem(kavg.objectives.Quadratic(h), noise, start=1.0)
        return kavg.simulate(problem, method(optimizer=optimizer), rounds=4, seed=5).w

    decayed, steeper = ends((0.5, 1.0), SGD(weight_decay=0.25)), ends((0.75, 1.25), SGD())
    np.testing.assert_allclose(decayed, steeper, rtol=1e-12)


# --- the contract


@pytest.mark.parametrize("cls", [SGD, *WITH_SLOTS])
def test_an_optimizer_has_what_the_engine_needs(cls):
    optimizer = cls(**small_settings(cls))
    assert check_range(LocalOptimizer, "optimizer", optimizer) is optimizer
    assert optimizer.at_average == "reset"
    assert find_same_bits(optimizer) == "any machine"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: HeavyBall(beta=1.0), "beta must be .*; use 0 for SGD"),
        (lambda: NesterovSteps(beta=-1.0), "beta must be .*; use 0 for SGD"),
        (lambda: HeavyBall(0.5, at_average="keep"), "at_average must be one of reset, kept, aver"),
        (lambda: Adam(beta2=1.0), "beta2 must be"),
        (lambda: Adam(eps=0.0), "eps must be"),
        (lambda: AdamW(weight_decay=-0.1), "weight_decay must be"),
        (lambda: SGD(clip=0.0), "clip must be"),
        (lambda: SGD(clip=np.inf), "clip must be"),
    ],
)
def test_numbers_out_of_range_are_refused(make, words):
    with pytest.raises(kavg.KavgError, match=words):
        make()


def test_only_plain_sgd_is_plain():
    assert SGD().is_plain
    for other in (SGD(clip=1.0), SGD(weight_decay=0.1)):
        assert not other.is_plain
        assert not method(optimizer=other).is_plain


# --- memory

WELL = kavg.objectives.DoubleWell(dim=1000)
OPTIMIZERS = {name: each.optimizer for name, each in METHODS.items() if each.optimizer != SGD()} | {
    "clipped Adam": Adam(at_average="kept", clip=0.1, weight_decay=0.1)
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_allocates_nothing(name, dtype):
    optimizer, (tile, R, d) = OPTIMIZERS[name], (256, 2, WELL.dim)
    problem = kavg.Problem(WELL, kavg.oracles.Gaussian(1.0))
    algorithm = kavg.Algorithm(tile, 2, 0.01, kavg.outer.Averaging(), optimizer=optimizer)
    local = LocalSteps(problem, algorithm, own=range(tile), seed=1, R=R, tile=tile, dtype=dtype)
    local.states.begin(None)
    steps = RoundSteps(n=1, first=0, K=2, gamma=0.01)
    local.displacement(range(tile), np.full((R, d), 0.3), steps)
    slots = local.states.slots
    tracemalloc.start()
    for age in (1, 2):
        local.states.update(local.x, local.g, slots, local.gamma, age)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Views, and the buffer of NumPy's iterator for a gradient and its norms, whatever their size.
    assert peak < 20_000 + 8 * 8192 < local.g.nbytes / 8


def test_a_million_learners_that_reset_their_state_need_no_more_than_a_tile():
    problem = kavg.Problem(
        kavg.objectives.Cosine(dim=2), kavg.oracles.Gaussian(sigma2=1.0), start=1.0
    )
    peaks = []
    for optimizer in (SGD(), HeavyBall(0.9), Adam()):
        algorithm = kavg.Algorithm(10**6, 1, 0.01, kavg.outer.Averaging(), optimizer=optimizer)
        tracemalloc.start()
        kavg.simulate(problem, algorithm, rounds=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # A slot of each learner would be 16 MB; one of a tile is 0.25 MB.
    assert max(peaks) - peaks[0] < 2_000_000
