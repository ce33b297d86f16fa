"""The laws of docs/design.md for measures of rounds, on methods of every kind of round."""

from itertools import islice

import numpy as np
import pytest
from helpers.methods import METHODS, method
from helpers.ranks import CountingComm, run_ranks
from helpers.same import same_bits

import kavg
from kavg import aggregations, measures, outer
from kavg.engine.options import RunOptions
from kavg.engine.ranks import Ranks
from kavg.engine.recorder import Recorder
from kavg.engine.rounds import iterate_rounds
from kavg.engine.run import Run
from kavg.storage.trajectories import write_trajectories

PROBLEM = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)
ALL = (
    measures.Alignment(),
    measures.Consensus(),
    measures.Distance(),
    measures.EffectiveStep(),
    measures.Sharpness(),
    measures.Spread(directions=(0, 2)),
    measures.Spread(vector=(1.0, 1.0, 0.0)),
)
MEASURED = {
    "M-AVG": method(outer.BlockMomentum(0.5)),
    "Nesterov": method(outer.NesterovMomentum(0.5)),
    "heavy ball, kept": METHODS["heavy ball, kept"],
    "heavy ball, averaged": METHODS["heavy ball, averaged"],
    "post-local SGD": METHODS["post-local SGD"],
    "EASGD": METHODS["EASGD"],
    "gossip": method(aggregation=aggregations.Gossip()),
    "Hier-AVG": METHODS["Hier-AVG"],
    "sampled": METHODS["sampled, unbiased weights"],
    "stragglers": METHODS["stragglers, FedNova"],
}
each_method = pytest.mark.parametrize("name", MEASURED)
PRECISIONS = pytest.mark.parametrize("dtype", ["float64", "float32"])


def run(name, record=ALL, problem=PROBLEM, **options):
    defaults = {"rounds": 5, "replicas": 2, "seed": 5}
    return kavg.simulate(problem, MEASURED[name], record=record, **(defaults | options))


@each_method
@PRECISIONS
@pytest.mark.parametrize("size", [2, 3, 7])
def test_law_1_ranks_never_change_the_bits(name, dtype, size):
    serial = run(name, dtype=dtype)
    assert len(serial.series) == 15
    for on_rank in run_ranks(size, lambda comm: run(name, dtype=dtype, comm=comm)):
        assert same_bits(serial, on_rank)


@each_method
@PRECISIONS
@pytest.mark.parametrize("mean", ["exact", "allreduce"])
def test_law_2_tiles_never_change_the_bits(name, dtype, mean):
    runs = [run(name, dtype=dtype, mean=mean, tile=tile) for tile in (1, 2, 5)]
    assert all(same_bits(runs[0], other) for other in runs[1:])


@each_method
@PRECISIONS
def test_law_3_replicas_are_a_prefix(name, dtype):
    short, long = run(name, dtype=dtype), run(name, dtype=dtype, replicas=4)
    for quantity, values in short.series.items():
        assert np.array_equal(values, long.series[quantity][:, :2], equal_nan=True), quantity


@each_method
def test_what_is_measured_changes_nothing_else(name):
    plain, measured = run(name, record=None), run(name)
    assert np.array_equal(plain.w, measured.w)
    for quantity, values in plain.series.items():
        assert np.array_equal(values, measured.series[quantity]), quantity


@each_method
@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize("done", [1, 2, 4])
def test_law_8_a_run_is_continued_on_any_ranks(name, every, done):
    whole = run(name, every=every)
    short = run_ranks(2, lambda comm: run(name, rounds=done, every=every, comm=comm))[1]
    assert same_bits(whole, run(name, every=every, extends=short))
    for on_rank in run_ranks(3, lambda comm: run(name, every=every, extends=short, comm=comm)):
        assert same_bits(whole, on_rank)


@each_method
def test_runs_are_stored_and_read(name, tmp_path):
    done = run(name, rounds=3)
    write_trajectories(tmp_path / "trajectory.npz", [done])
    (read,) = kavg.load_trajectories(tmp_path)
    assert same_bits(done, read)
    assert same_bits(run(name), run(name, extends=read))


@each_method
def test_rows_are_those_of_all_rounds(name):
    """A measure that remembers sees the rounds that are not recorded, too."""
    each, third = run(name, rounds=6), run(name, rounds=6, every=3)
    for quantity, values in third.series.items():
        assert np.array_equal(values, each.series[quantity][::3], equal_nan=True), quantity


READERS = {
    ("sharpness", "distance", "effective_step", "alignment"): 0,
    ("spread",): 1,
    ("consensus",): 1,
    ("spread", "consensus", "alignment"): 2,
}


@pytest.mark.parametrize(("names", "further"), READERS.items(), ids=str)
def test_law_7_learners_are_read_by_one_allreduce_where_a_round_is_recorded(names, further):
    algorithm, options = MEASURED["EASGD"], RunOptions()

    def count(comm):
        counting = CountingComm(comm)
        recorder = Recorder(PROBLEM, every=2, measures=[measures.make_measure(n) for n in names])
        run = Run(PROBLEM, algorithm, options, recorder, rounds=99)
        readings = recorder.round_measures.plan_readings(run.is_due)
        ranks = Ranks(counting)
        rounds = iterate_rounds(PROBLEM, algorithm, options, ranks=ranks, readings=readings)
        list(islice(rounds, 2))
        calls = []
        for _ in range(4):
            counting.calls.clear()
            next(rounds)
            calls.append(sum(counting.calls.values()))
        return tuple(calls)

    # Rounds 2 and 4 are recorded.
    assert set(run_ranks(3, count)) == {(1 + further, 1, 1 + further, 1)}


def test_a_second_pass_of_the_dispersion_leaves_what_is_read_alone():
    """Learners without noise: the dispersion is computed from another pass in every round."""
    problem = kavg.Problem(PROBLEM.objective, kavg.oracles.Shifted(zeta2=1e-20), PROBLEM.start)
    for name in ("M-AVG", "heavy ball, kept"):
        method = kavg.Algorithm(4, 3, 0.05, MEASURED[name].outer, "", MEASURED[name].optimizer)
        record = [measures.Spread(directions=(0, 1, 2))]
        for tile in (1, 4):
            found = kavg.simulate(problem, method, rounds=3, record=record, tile=tile)
            parts = found.spread_0 + found.spread_1 + found.spread_2
            np.testing.assert_allclose(parts[1:], found.dispersion[1:], rtol=1e-9)


class Counting:
    """A measure that remembers how often it was updated."""

    names = ("updates",)
    width, reads_displacement = 1, False

    def plan(self, problem, algorithm, *, R, seed):
        return self

    def update(self, now, memory):
        memory += 1.0 if now.n else 100.0

    def measure(self, now, memory):
        return memory.T


def test_a_measure_of_a_user_is_updated_once_a_round():
    found = kavg.simulate(PROBLEM, MEASURED["M-AVG"], rounds=5, every=2, record=[Counting()])
    np.testing.assert_array_equal(found.updates[:, 0], [100, 102, 104, 105])
    longer = kavg.simulate(
        PROBLEM, MEASURED["M-AVG"], rounds=6, every=2, record=[Counting()], extends=found
    )
    np.testing.assert_array_equal(longer.updates[:, 0], [100, 102, 104, 106])


def test_the_memory_of_a_run_that_diverges_is_that_of_its_last_round():
    problem = kavg.Problem(kavg.objectives.Quadratic((1e10,)), kavg.oracles.Noiseless(), 1e135)
    method = kavg.Algorithm(P=1, K=1, gamma=4e-7, outer=outer.Averaging())
    found = kavg.simulate(problem, method, rounds=9, every=4, record=[Counting()])
    # w is finite there, and has been shown to the measure before F was found to be infinite.
    assert (found.diverged_at, found.not_finite) == (4, "F")
    assert found.measure_memory[0, 0] == 100 + found.done == 103


def test_replicas_of_a_rotated_bowl_do_not_wait_for_each_other():
    """Each has signs of its own and as many iterations as it needs, also on two ranks."""
    bowl = kavg.objectives.Quadratic((1.0, 1.5, -1.4, 0.3), rotation_seed=2)
    problem = kavg.Problem(bowl, kavg.oracles.Gaussian(sigma2=1.0), 1.0)
    record = ["sharpness", measures.Spread(directions=(1, 3))]
    long = run("M-AVG", record, problem, replicas=5)
    assert len(np.unique(long.sharpness[-1])) > 1
    for R in (1, 2, 3):
        for on_rank in run_ranks(
            2, lambda comm, R=R: run("M-AVG", record, problem, replicas=R, comm=comm)
        ):
            for name in ("sharpness", "spread_1", "spread_3"):
                assert np.array_equal(
                    on_rank.series[name], long.series[name][:, :R], equal_nan=True
                )


def test_other_measures_do_not_continue_a_run():
    short = run("M-AVG", rounds=2)
    with pytest.raises(kavg.KavgError, match="it must have recorded"):
        run("M-AVG", record=["sharpness"], extends=short)
