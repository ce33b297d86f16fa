"""A run is extended by its own method alone, and tells which one it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from helpers.methods import METHODS, method
from helpers.same import same_run

import kavg
from kavg import aggregations, optimizers
from kavg.base.method_parts import LENGTH, describe_part
from kavg.storage import load_trajectories
from kavg.storage.trajectories import write_trajectories
from kavg.validation import validate_trajectory

NOISY = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), start=2.0)
RESET, KEPT = optimizers.HeavyBall(0.9), optimizers.HeavyBall(0.9, "kept")
UNLIKE = {
    # State that fits in shape, and is read as another quantity.
    "another momentum": (KEPT, replace(KEPT, beta=0.5), "heavy_ball(beta=0.9, at_average='kept')"),
    "another optimizer": (KEPT, optimizers.NesterovSteps(0.9, "kept"), "heavy_ball(beta=0.9, at_"),
    "another clip": (KEPT, replace(KEPT, clip=0.5), "heavy_ball(beta=0.9, at_average='kept')"),
    # Nothing that is carried on.
    "momentum that is reset": (RESET, optimizers.SGD(), "heavy_ball(beta=0.9)"),
    "plain steps": (optimizers.SGD(), RESET, "sgd"),
    "a decay": (optimizers.SGD(), optimizers.SGD(weight_decay=0.1), "sgd"),
    "mini-batch SGD": (optimizers.Accumulation(), optimizers.SGD(), "accumulation"),
}
OTHERS = {
    "groups": (aggregations.GroupedLearners(1, (2, 3)), aggregations.AllLearners(), "groups(K1=1"),
    "elastic": (aggregations.ElasticAveraging(0.3), aggregations.Gossip(), "elastic(alpha=0.3)"),
    "a pull": (
        aggregations.ElasticAveraging(0.3), aggregations.ElasticAveraging(0.2), "elastic(alpha=0.3)"
    ),
    "subsets": (
        aggregations.SampledLearners(2, (1.0,) * 5),
        aggregations.SampledLearners(2, (1.0,) * 5, "normalised"),
        "sampled(m=2, weights=(1.0, 1.0, 1.0, 1.0, 1.0))",
    ),
}  # fmt: skip


def run(algorithm, rounds=6, **options):
    return kavg.simulate(NOISY, algorithm, rounds=rounds, replicas=2, seed=3, **options)


@pytest.mark.parametrize("case", [*UNLIKE, *OTHERS])
def test_a_run_of_another_method_is_refused(case):
    what, cases = ("optimizer", UNLIKE) if case in UNLIKE else ("aggregation", OTHERS)
    was, is_now, told = cases[case]
    short = run(method(**{what: was}), rounds=4)
    with pytest.raises(kavg.KavgError) as failure:
        run(method(**{what: is_now}), extends=short)
    assert f"cannot be extended: its {what} was {told}" in str(failure.value)


@pytest.mark.parametrize("name", METHODS)
def test_a_stored_run_is_extended_by_its_own(name, tmp_path):
    file = tmp_path / "trajectory.npz"
    write_trajectories(file, [run(METHODS[name], rounds=4)])
    (short,) = load_trajectories(file)
    assert same_run(run(METHODS[name]), run(METHODS[name], extends=short))


EMA = kavg.measures.ExponentialMean
OTHER_MEASURES = {
    "another number": ([EMA(0.9)], [EMA(0.8)], "its measures were ema, not ema(beta=0.8)"),
    # Memories of one width would be read as those of each other.
    "another order": (
        [kavg.measures.UniformMean(), EMA(0.5)],
        [EMA(0.5), kavg.measures.UniformMean()],
        "its measures were uniform, ema(beta=0.5), not ema(beta=0.5), uniform",
    ),
    "without memory": (
        [kavg.measures.Sharpness()],
        [kavg.measures.Sharpness(tolerance=0.1)],
        "its measures were sharpness, not sharpness(tolerance=0.1)",
    ),
}


@pytest.mark.parametrize("case", OTHER_MEASURES)
def test_a_run_with_other_measures_is_refused(case):
    was, is_now, told = OTHER_MEASURES[case]
    short = run(method(), rounds=4, record=was)
    with pytest.raises(kavg.KavgError) as failure:
        run(method(), extends=short, record=is_now)
    assert told in str(failure.value)
    assert same_run(run(method(), record=was), run(method(), extends=short, record=was))


def test_a_run_that_does_not_tell_is_extended():
    plain = method()
    older = replace(run(plain, rounds=4), parts={})
    assert same_run(run(plain), run(plain, extends=older))


def test_long_parts_are_told_apart_by_a_digest():
    rows = [[float(i == j) for i in range(20)] for j in range(20)]
    one, other = (describe_part(aggregations.Gossip(each)) for each in (rows, rows[::-1]))
    assert len(one) <= LENGTH
    assert one.startswith("gossip(mixing=((1.0, 0.0")
    assert one != other


def test_a_part_of_a_user_is_called_by_its_class():
    @dataclass(frozen=True)
    class Mine:
        rate: float
        more: int = 3

    class Other:
        kind = 3

    assert describe_part(Mine(0.5)) == "Mine(rate=0.5)"
    assert describe_part(Mine(0.5, more=4)) == "Mine(rate=0.5, more=4)"
    assert describe_part(Other()) == "Other"


@pytest.mark.parametrize("parts", [3, ["sgd"], {"optimizer": 3}, {3: "sgd"}])
def test_parts_that_no_run_has_are_refused(parts):
    with pytest.raises(ValueError, match="its parts are"):
        validate_trajectory(replace(run(method(), rounds=1), parts=parts))
