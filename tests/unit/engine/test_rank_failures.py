"""One rank of a run from Python fails: all of them stop, and each is told why."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, islice
from unittest.mock import patch

import numpy as np
import pytest
from helpers.rank_programs import METHOD, PROBLEM, Bowl, Heavy, norm, outcomes, simulate, take
from helpers.ranks import run_ranks

import kavg
from kavg.engine import learners
from kavg.engine.local.local_steps import LocalSteps
from kavg.engine.means import MEANS
from kavg.engine.ranks import STOPPED, Divergence, Ranks
from kavg.errors import CollectiveError
from kavg.objectives import Quadratic
from kavg.oracles import Gaussian, Noiseless
from kavg.outer import Averaging


class Boom(Exception):
    pass


def fails_on(rank, when, make=lambda: Boom("of a test")):
    """A function of the round and the rank that fails in one place."""

    def strike(n, own):
        if (own, n) == (rank, when):
            raise make()

    return strike


def measures(strike, own):
    return {"record": {"test": lambda n, w: (strike(n, own), norm(n, w))[1]}}


def readers(strike, own):
    return {"on_round": lambda now: strike(now.n, own)}


def callbacks(strike, own):
    class Watch:
        rounds = 0

        def request(self):
            return 0

        def on_round(self, run):
            strike(run.last.n, own)

    return {"callback": Watch()}


def requests(strike, own):
    class Watch:
        rounds = 0

        def request(self):
            self.rounds += 1
            strike(self.rounds, own)
            return 0

        def on_round(self, run):
            pass

    return {"callback": Watch()}


PLACES = {
    "a measure": measures, "on_round": readers, "a callback": callbacks, "a request": requests,
}  # fmt: skip


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("when", [1, 3, 4])
@pytest.mark.parametrize("place", PLACES)
def test_one_rank_that_fails_ends_all(place, when, size):
    strike = fails_on(1, when)
    found = outcomes(size, lambda comm: simulate(comm, **PLACES[place](strike, comm.Get_rank())))
    assert isinstance(found[1], Boom)
    others = [error for rank, error in enumerate(found) if rank != 1]
    assert {type(error) for error in others} == {CollectiveError}
    assert f"rank 1 failed in round {when}: Boom: of a test; all ranks stop" in str(others[0])
    assert others[0].code == 1


@pytest.mark.parametrize("call", [simulate, take])
@pytest.mark.parametrize("fault", ["gamma", "gradient", "outer start", "outer step"])
@pytest.mark.parametrize("mean", ["exact", "allreduce"])
def test_the_users_parts_that_fail_on_one_rank_end_all(call, fault, mean):
    def program(comm):
        def strike(n):
            if comm.Get_rank() == 1 and Faulty.armed and n == 2:
                raise Boom(fault)

        class Faulty:
            armed, now = False, 0

        class Rule(Heavy):
            def start(self, w, v, out):
                if fault == "outer start":
                    strike(Faulty.now)
                super().start(w, v, out)

            def step(self, w, v, displacement, gamma):
                if fault == "outer step":
                    strike(Faulty.now)
                super().step(w, v, displacement, gamma)

        def gamma(n):
            if fault == "gamma":
                strike(n)
            return 0.1

        class Gradient(Bowl):
            def grad(self, x, out):
                if fault == "gradient" and x.ndim == 3:
                    strike(Faulty.now)
                return super().grad(x, out)

        problem = kavg.Problem(Gradient(1.0), Noiseless())
        method = kavg.Algorithm(5, 2, gamma, Rule(0.5))

        # Armed once the checks at the start are over.
        def arm(n):
            Faulty.armed, Faulty.now = n >= 1, n + 1

        if call is simulate:
            return simulate(comm, problem, method, mean=mean, on_round=lambda now: arm(now.n))
        rounds = kavg.meta_iterations(problem, method, comm=comm, mean=mean)
        for now in islice(rounds, 5):
            arm(now.n)
        return None

    first, second = outcomes(2, program)
    assert isinstance(second, Boom), second
    assert isinstance(first, CollectiveError), first
    assert f"rank 1 failed in round 2: Boom: {fault}" in str(first)
    assert second.__notes__[-1] == "kavg called it in round 2, on rank 1"


@pytest.mark.parametrize(
    ("place", "when", "notes"),
    [
        ("on_round", 2, ["on_round after round 2", "round 2, on rank 1"]),
        ("on_round", 4, ["on_round after round 4"]),
        ("a measure", 0, ["the measure 'test' after round 0", "round 0, on rank 1"]),
        ("a measure", 3, ["the measure 'test' after round 3", "round 3, on rank 1"]),
        ("a callback", 1, ["round 1, on rank 1"]),
        ("a request", 3, ["round 3, on rank 1"]),
    ],
)
def test_a_note_names_the_round_of_the_failure_and_not_the_one_that_shared_it(place, when, notes):
    strike = fails_on(1, when)
    found = outcomes(2, lambda comm: simulate(comm, **PLACES[place](strike, comm.Get_rank())))
    assert found[1].__notes__ == [f"kavg called it in {note}" for note in notes]


@pytest.mark.parametrize("call", [simulate, take])
@pytest.mark.parametrize("part", ["ExactMean", "PlainMean", "LocalSteps"])
def test_a_rank_without_memory_for_its_workspace_ends_all(call, part):
    first_come = count()

    def lacks(*args, **sizes):
        # Each rank makes its workspace once, and one of two finds no memory.
        if next(first_come) == 0:
            raise MemoryError("no room")
        return original(*args, **sizes)

    if part == "LocalSteps":
        original, where = LocalSteps, patch.object(learners, part, lacks)
        mean = "exact"
    else:
        mean = {"ExactMean": "exact", "PlainMean": "allreduce"}[part]
        original, where = MEANS[mean], patch.dict(MEANS, {mean: lacks})
    with where:
        found = outcomes(2, lambda comm: call(comm, mean=mean))
    assert {type(error) for error in found} == {MemoryError, CollectiveError}, found
    (told,) = [str(error) for error in found if isinstance(error, CollectiveError)]
    assert "failed before the first round: MemoryError: no room; all ranks stop" in told


def test_memory_that_is_missing_in_a_round_ends_all():
    class Full(np.ndarray):
        def copy(self, order="C"):
            raise MemoryError("no room")

    begin = learners.Learners.begin

    def lacks(self, state, n):
        if (self.rank, n) == (1, 2):
            state = replace(state, w=state.w.view(Full))
        return begin(self, state, n)

    with patch.object(learners.Learners, "begin", lacks):
        first, second = outcomes(2, simulate)
    assert isinstance(second, MemoryError), second
    assert "rank 1 failed in round 2: MemoryError: no room" in str(first)


def test_a_step_that_fails_in_the_last_round_is_shared_by_one_round_more():
    def program(comm):
        class Rule(Heavy):
            armed = False

            def step(self, w, v, displacement, gamma):
                if comm.Get_rank() == 1 and self.armed:
                    raise Boom("last")
                super().step(w, v, displacement, gamma)

        rule = Rule(0.5)
        rounds = kavg.meta_iterations(
            kavg.Problem(Bowl(1.0), Noiseless()), kavg.Algorithm(4, 2, 0.1, rule), comm=comm
        )
        for now in islice(rounds, 3):
            rule.armed = now.n == 1
        if comm.Get_rank() == 0:  # rank 1 is in the sum of round 3 already
            assert now.n == 2
            next(rounds)

    first, second = outcomes(2, program)
    assert isinstance(second, Boom), second
    assert isinstance(first, CollectiveError), first
    assert "rank 1 failed in round 2: Boom: last; all ranks stop" in str(first)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_of_one_rank_ends_all(error):
    strike = fails_on(0, 2, error)

    def program(comm):
        try:
            simulate(comm, **readers(strike, comm.Get_rank()))
        except BaseException as raised:
            return raised

    found = run_ranks(2, program)
    assert isinstance(found[0], error)
    assert f"rank 0 failed in round 2: {error.__name__}" in str(found[1])


def test_two_ranks_that_fail_each_have_their_own():
    def program(comm):
        strike = fails_on(comm.Get_rank(), 2, lambda: Boom(str(comm.Get_rank())))
        return simulate(comm, **readers(strike, comm.Get_rank() if comm.Get_rank() else 9))

    found = outcomes(3, program)
    assert [str(error) for error in found[1:]] == ["1", "2"]
    assert "rank 1 failed in round 2: Boom: 1; rank 2 failed in round 2: Boom: 2" in str(found[0])


def test_a_rank_that_fails_at_the_start_ends_all():
    found = outcomes(2, lambda comm: simulate(comm, **measures(fails_on(0, 0), comm.Get_rank())))
    assert isinstance(found[0], Boom)
    assert "rank 0 failed before the first round: Boom" in str(found[1])


@pytest.mark.parametrize("when", [0, 2, 4])
def test_a_measure_that_is_not_finite_on_one_rank_is_recorded_there(when):
    def program(comm):
        bad = np.nan if comm.Get_rank() == 1 else 1.0
        record = {"test": lambda n, w: np.full(len(w), bad if n == when else 1.0)}
        return simulate(comm, record=record)

    first, second = outcomes(2, program)
    assert np.isfinite(first.test).all()
    assert np.isnan(second.test[when]).all()
    assert np.array_equal(first.F, second.F)


@pytest.mark.parametrize("when", [2, 3, 4])
def test_ranks_that_do_not_agree_on_a_divergence_are_told(when):
    """F is of the same w on every rank, so one of them computes another F."""

    def program(comm):
        class Odd(Bowl):
            rounds = 0

            def value(self, x):
                F = super().value(x)
                return F * np.nan if comm.Get_rank() == 1 and self.rounds == when else F

        def count(now):
            Odd.rounds = now.n + 1

        return simulate(comm, kavg.Problem(Odd(1.0), Gaussian(1.0)), on_round=count)

    for error in outcomes(2, program):
        assert isinstance(error, CollectiveError), error
        assert f"rank 1 found that F is not finite in round {when}, and others did not" in str(
            error
        )


@pytest.mark.parametrize("size", [1, 2, 3])
def test_ranks_diverge_together(size):
    wild = kavg.Algorithm(P=2, K=2, gamma=1e80, outer=Averaging())
    bowl = kavg.Problem(Quadratic((1.0,)), Gaussian(1.0), 1.0)
    alone = kavg.simulate(bowl, wild, rounds=50, replicas=2)
    for run in outcomes(size, lambda comm: simulate(comm, bowl, wild, rounds=50)):
        assert (run.diverged_at, run.not_finite) == (alone.diverged_at, alone.not_finite)
        assert np.array_equal(run.w, alone.w)


def test_a_request_beyond_the_sum_is_refused():
    counting = kavg.meta_iterations(PROBLEM, METHOD, request=lambda: STOPPED)
    next(counting)
    with pytest.raises(kavg.KavgError, match="a request must be a whole number from 0 to"):
        next(counting)


def test_a_rank_alone_raises_where_it_fails():
    ranks = Ranks()
    with pytest.raises(Boom):
        ranks.attempt(lambda: (_ for _ in ()).throw(Boom()), None)
    with pytest.raises(Divergence):
        ranks.attempt(lambda: (_ for _ in ()).throw(Divergence("w", 3)), None)
    assert ranks.signal == 0
