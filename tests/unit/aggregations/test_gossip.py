"""Gossip: hand paths, what it equals, and which matrices are refused."""

from itertools import islice

import numpy as np
import pytest
from helpers.same import same_bits

import kavg
from kavg.aggregations import AllLearners, ElasticAveraging, Gossip
from kavg.config.settings_file import parse_config
from kavg.errors import KavgError
from kavg.optimizers import HeavyBall
from kavg.outer import Averaging, BlockMomentum, SlowMo

# Signs as noise, and numbers of few binary digits: three rounds are exact in double precision.
BOWL = kavg.objectives.Quadratic((0.5, 0.25, 1.0, 0.125))
EXACT = kavg.Problem(BOWL, kavg.oracles.Rademacher(sigma2=4.0), start=8.0)
NOISY = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(1.0), start=2.0)


def method(aggregation, P=4, K=2, gamma=0.5, **parts):
    rule = parts.pop("outer", Averaging())
    return kavg.Algorithm(P, K, gamma, rule, aggregation=aggregation, **parts)


def rounds(problem, algorithm, N, **options):
    return list(islice(kavg.meta_iterations(problem, algorithm, **options), N + 1))


def test_a_hand_path():
    """Three learners of F = x on a line, whose gradients are 1 + b_j with b = (-1, 0, 1)."""
    W = [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]

    class Apart:
        def constants(self, objective):
            return kavg.oracles.Noiseless().constants(objective)

        def plan(self, objective, *, seed, P, R, tile, dtype="float64"):
            return self

        def select(self, learners):
            self.b = np.array([j - 1.0 for j in learners])[:, None, None]

        def __call__(self, x, step, out):
            out[...] = 1 + self.b

    problem = kavg.Problem(kavg.objectives.Linear(dim=1), Apart(), start=0.0)
    found = rounds(problem, method(Gossip(W), P=3, K=1, gamma=1.0), 2)
    # Steps 0, -1, -2; then x^0 = (0 - 1)/2, x^1 = (0 - 2)/2, x^2 = (-1 - 2)/2.
    assert found[1].state.slots[:, 0, 0, 0].tolist() == [-0.5, -1.0, -1.5]
    assert found[1].w.item() == -1.0
    # Steps from there to -0.5, -2, -3.5.
    assert found[2].state.slots[:, 0, 0, 0].tolist() == [-1.25, -2.0, -2.75]
    assert found[2].w.item() == -2.0
    assert found[2].dispersion.item() == (1.5**2 + 0 + 1.5**2) / 3


def test_complete_gossip_is_k_avg_where_arithmetic_is_exact():
    one, other = (rounds(EXACT, method(part), 3) for part in (Gossip("complete"), AllLearners()))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.w, b.w)
        assert np.array_equal(a.dispersion, b.dispersion)
    assert np.array_equal(one[-1].state.slots[:, 0], np.broadcast_to(other[-1].w, (4, 1, 4)))


def test_complete_gossip_is_k_avg_to_rounding():
    parts = Gossip("complete"), AllLearners()
    # Small steps, as long ones between the waves multiply what rounding leaves.
    one, other = (rounds(NOISY, method(part, P=5, gamma=0.05), 9)[-1].w for part in parts)
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    ring = rounds(NOISY, method(Gossip(), P=5, gamma=0.05), 9)[-1].w
    assert np.abs(ring - other).max() > 1e-5


def test_learners_that_never_meet_are_runs_of_their_own():
    apart = rounds(EXACT, method(Gossip("identity")), 3)
    # Learner 0 draws the noise of a run with one learner.
    alone = rounds(EXACT, method(AllLearners(), P=1), 3)
    for a, b in zip(apart[1:], alone[1:], strict=True):
        assert np.array_equal(a.state.slots[0, 0], b.w)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_identity_has_the_bits_of_elastic_averaging_without_a_pull(dtype):
    runs = [
        kavg.simulate(NOISY, method(part, P=5), rounds=6, replicas=3, seed=2, dtype=dtype)
        for part in (Gossip("identity"), ElasticAveraging(0.0))
    ]
    assert same_bits(*runs)


@pytest.mark.parametrize("P", [1, 2, 3, 7])
@pytest.mark.parametrize("name", ["ring", "complete", "identity"])
def test_a_name_is_a_matrix(name, P):
    part = Gossip(name)
    rows = [dict(part.list_weights(j, P)) for j in range(P)]
    matrix = Gossip([[row.get(i, 0.0) for i in range(P)] for row in rows])
    assert [matrix.list_weights(j, P) for j in range(P)] == [
        part.list_weights(j, P) for j in range(P)
    ]
    runs = [kavg.simulate(NOISY, method(one, P=P), rounds=3) for one in (part, matrix)]
    assert same_bits(*runs)


def test_w_is_the_mean_of_the_mixed_iterates():
    last = rounds(NOISY, method(Gossip(), P=6), 8, replicas=2)[-1]
    mixed = last.state.slots[:, 0].mean(axis=0)
    np.testing.assert_allclose(mixed, last.w, rtol=0, atol=1e-14)


def test_a_learner_of_weight_0_is_not_read():
    """A learner that overflows spoils the mean, but not those who do not hear it."""
    W = [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]

    class Diverging:
        def constants(self, objective):
            return kavg.oracles.Noiseless().constants(objective)

        def plan(self, objective, *, seed, P, R, tile, dtype="float64"):
            return self

        def select(self, learners):
            self.learners = learners

        def __call__(self, x, step, out):
            out[...] = 1.0
            out[[j for j, who in enumerate(self.learners) if who == 2]] = np.inf

    problem = kavg.Problem(kavg.objectives.Linear(dim=1), Diverging(), start=0.0)
    last = rounds(problem, method(Gossip(W), P=3), 1)[-1]
    assert last.state.slots[0, 0, 0, 0] == -1.0
    assert not np.isfinite(last.state.slots[1:]).any()


BAD = {
    "rows alone": ([[0.5, 0.5], [0.25, 0.75]], "column 0 with the sum 0.75"),
    "columns alone": ([[0.5, 0.25], [0.5, 0.75]], "row 0 with the sum 0.75"),
    "almost": ([[0.5, 0.5 + 1e-11], [0.5, 0.5]], "row 0 with the sum 1.00000000001"),
    "negative": ([[1.5, -0.5], [-0.5, 1.5]], r"mixing\[0\]\[1\] must be a finite number of at lea"),
    "not square": ([[0.5, 0.5]], "P rows of P numbers, got 1 rows of 2 numbers"),
    "empty": ([], "got 0 rows of no numbers"),
    "ragged": ([[1.0], [0.5, 0.5]], "got 2 rows of 1 and 2 numbers"),
    "a name": ("star", "must be one of ring, complete, identity or a list"),
}


@pytest.mark.parametrize("name", BAD)
def test_other_matrices_are_refused(name):
    mixing, message = BAD[name]
    with pytest.raises(KavgError, match=message):
        Gossip(mixing)


def test_an_array_is_a_matrix():
    assert Gossip(np.full((2, 2), 0.5)) == Gossip([[0.5, 0.5], [0.5, 0.5]])


CONTRADICTIONS = {
    "rows": (
        {"P": 3, "aggregation": Gossip([[1.0]])},
        "a row for each learner, got 1 rows and P=3",
    ),
    "momentum": ({"outer": BlockMomentum(0.5)}, "averaging, .* got block_momentum with mu = 0.5"),
    "SlowMo": ({"outer": SlowMo(0.0)}, "got slowmo with"),
    "averaged slots": ({"optimizer": HeavyBall(0.5, "averaged")}, "at_average='averaged'"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_one_clear_error(name):
    parts, message = CONTRADICTIONS[name]
    with pytest.raises(KavgError, match=message):
        method(**{"aggregation": Gossip(), **parts})


def test_settings_name_it():
    text = """
seed = 1
rounds = 2
start = 1.0
objective = { kind = "cosine", dim = 2 }
oracle = { kind = "gaussian", sigma2 = 1.0 }
[[algorithm]]
name = "two"
P = 2
K = 2
gamma = 0.1
outer = { kind = "averaging" }
aggregation = { kind = "gossip", mixing = [[0.75, 0.25], [0.25, 0.75]] }
[[algorithm]]
name = "ring"
P = 5
K = 2
gamma = 0.1
outer = { kind = "averaging" }
aggregation = { kind = "gossip" }
"""
    config = parse_config(text)
    parts = [one.aggregation for one in config.algorithms]
    assert parts == [Gossip([[0.75, 0.25], [0.25, 0.75]]), Gossip("ring")]
    with pytest.raises(KavgError, match=r"column 0 with the sum 0\.75"):
        parse_config(text.replace("[0.75, 0.25], [0.25", "[0.5, 0.5], [0.25"))
