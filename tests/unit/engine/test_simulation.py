"""What simulate records, and how a run ends."""

import numpy as np
import pytest

import kavg
from kavg.elementary.sums import sum_squares
from kavg.outer import Averaging

COSINE = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(1.0, B=2), 2.0)
METHOD = kavg.Algorithm(P=4, K=3, gamma=0.05, outer=Averaging(), name="K-AVG")


def test_every_x_axis_is_there():
    run = kavg.simulate(COSINE, METHOD, rounds=4, replicas=2)
    assert run.rounds.tolist() == [0, 1, 2, 3, 4]
    assert run.steps.tolist() == [0, 3, 6, 9, 12]
    assert run.gradients.tolist() == [0, 24, 48, 72, 96]
    assert run.communications.tolist() == [0, 1, 2, 3, 4]
    assert (np.diff(run.seconds) > 0).all()
    assert run.axis("steps").tolist() == run.steps.tolist()
    with pytest.raises(kavg.KavgError, match="rounds, steps, gradients"):
        run.axis("epochs")


def test_standard_series_are_those_of_the_meta_iterate():
    run = kavg.simulate(COSINE, METHOD, rounds=2, replicas=2)
    assert set(run.series) == {"F", "grad_norm2", "dispersion"}
    assert np.array_equal(run.F[-1], COSINE.objective.value(run.w))
    g = COSINE.objective.grad(run.w, np.empty_like(run.w))
    assert np.array_equal(run.grad_norm2[-1], sum_squares(g))
    assert run.dispersion[0].tolist() == [0.0, 0.0]


def test_a_cadence_keeps_the_first_and_the_last_round():
    run = kavg.simulate(COSINE, METHOD, rounds=7, every=3)
    whole = kavg.simulate(COSINE, METHOD, rounds=7)
    assert run.rounds.tolist() == [0, 3, 6, 7]
    assert np.array_equal(run.F, whole.F[[0, 3, 6, 7]])


def test_more_is_recorded_by_functions_of_n_and_w():
    extra = {"largest": lambda n, w: np.abs(w).max(axis=-1), "n": lambda n, w: np.full(len(w), n)}
    run = kavg.simulate(COSINE, METHOD, rounds=3, replicas=2, record=extra)
    assert run.n[:, 0].tolist() == [0, 1, 2, 3]
    assert run.largest[0].tolist() == [2.0, 2.0]
    with pytest.raises(kavg.KavgError, match="'bad' must return one number a replica"):
        kavg.simulate(COSINE, METHOD, rounds=1, record={"bad": lambda n, w: w})


def test_a_series_that_was_not_recorded_is_named():
    run = kavg.simulate(COSINE, METHOD, rounds=1)
    with pytest.raises(AttributeError, match="'loss' was not recorded; there are: F, grad_norm2"):
        _ = run.loss


def test_a_standard_series_that_is_missing_is_named_too():
    run = kavg.simulate(COSINE, METHOD, rounds=1)
    part = kavg.Trajectory(**{**run.__dict__, "series": {"F": run.F}})
    assert part.F is run.F
    for name in ("grad_norm2", "dispersion"):
        with pytest.raises(AttributeError, match=f"'{name}' was not recorded; there are: F"):
            getattr(part, name)


def test_a_diverged_run_has_the_rounds_before():
    wild = kavg.Algorithm(P=2, K=2, gamma=1e80, outer=Averaging())
    bowl = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Gaussian(1.0), 1.0)
    run = kavg.simulate(bowl, wild, rounds=50, replicas=2)
    assert run.diverged_at == run.rounds[-1] + 1
    assert np.isfinite(run.w).all()
    assert all(np.isfinite(values).all() for values in run.series.values())
    seldom = kavg.simulate(bowl, wild, rounds=50, replicas=2, every=25)
    assert seldom.diverged_at == run.diverged_at
    assert np.array_equal(seldom.w, run.w)


def test_a_measure_that_is_not_finite_is_recorded_as_it_is():
    """On a run that reaches F = 0, from whose start on a measure is undefined now and then."""
    bowl = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Noiseless(), 1.0)
    method = kavg.Algorithm(P=2, K=1, gamma=1.0, outer=Averaging())
    record = {
        "digits": lambda n, w: np.log10(bowl.objective.value(w)),
        "odd": lambda n, w: np.full(len(w), np.nan if n % 2 == 0 else n),
    }
    run = kavg.simulate(bowl, method, rounds=4, record=record)
    assert (run.diverged_at, run.not_finite) == (None, None)
    assert run.digits[:, 0].tolist() == [np.log10(0.5)] + 4 * [-np.inf]
    assert np.isnan(run.odd[:, 0]).tolist() == [True, False, True, False, True]
    short = kavg.simulate(bowl, method, rounds=2, record=record)
    again = kavg.simulate(bowl, method, rounds=4, record=record, extends=short)
    assert all(
        np.array_equal(again.series[name], run.series[name], equal_nan=True) for name in run.series
    )


class Cliff(kavg.objectives.Quadratic):
    """Below 0.7 something is not finite."""

    where = "value"
    plan_gradient = None  # of a gradient that is not this one

    def value(self, x):
        F = super().value(x)
        return np.where(x[..., 0] < 0.7, np.inf, F) if self.where == "value" else F

    def grad(self, x, out):
        super().grad(x, out)
        if self.where == "gradient":
            out[x < 0.7] = np.nan
        return out


@pytest.mark.parametrize(("where", "name"), [("value", "F"), ("gradient", "the gradient of F")])
@pytest.mark.parametrize("every", [1, 4])
def test_what_ends_a_run_is_named(where, name, every):
    cliff = Cliff((1.0,))
    object.__setattr__(cliff, "where", where)
    problem = kavg.Problem(cliff, kavg.oracles.Noiseless(), 1.0)
    method = kavg.Algorithm(P=1, K=1, gamma=0.1, outer=Averaging())
    run = kavg.simulate(problem, method, rounds=8, every=every)
    assert (run.diverged_at, run.not_finite) == (4, name)
    with pytest.raises(kavg.KavgError, match=f"^{name} is not finite at the start"):
        kavg.simulate(kavg.Problem(cliff, kavg.oracles.Noiseless(), 0.5), method, rounds=2)


def test_on_round_is_called_after_each_round():
    numbers = []
    kavg.simulate(COSINE, METHOD, rounds=3, on_round=lambda done: numbers.append(done.n))
    assert numbers == [1, 2, 3]


def test_a_callback_follows_the_run_and_its_requests_are_summed():
    class Log:
        rounds, requested = [], []

        def request(self):
            return 7 + len(self.rounds)

        def on_round(self, run):
            self.rounds.append(run.last.n)
            self.requested.append(run.last.requested)

    kavg.simulate(COSINE, METHOD, rounds=3, callback=Log())
    assert (Log.rounds, Log.requested) == ([1, 2, 3], [7, 8, 9])


def test_rounds_are_copies_that_stay():
    rounds = [r for r, _ in zip(kavg.meta_iterations(COSINE, METHOD), range(4), strict=False)]
    assert len({r.w.tobytes() for r in rounds}) == 4


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rounds": 0}, "rounds must be a whole number of at least 1"),
        ({"replicas": 0}, "replicas must be"),
        ({"every": 0}, "every must be"),
        ({"tile": 0}, "tile must be"),
        ({"seed": -1}, "seed must be"),
        ({"seed": True}, "seed must be"),
        ({"mean": "median"}, "mean must be one of exact, allreduce"),
        ({"dtype": "float16"}, "dtype must be one of float64, float32, got dtype='float16'"),
    ],
)
def test_wrong_options_are_refused(wrong, words):
    with pytest.raises(kavg.KavgError, match=words):
        kavg.simulate(COSINE, METHOD, **{"rounds": 2} | wrong)


def test_a_start_where_nothing_can_be_measured_is_refused():
    far = kavg.Problem(COSINE.objective, COSINE.oracle, 1e200)
    with pytest.raises(kavg.KavgError, match="not finite at the start"):
        kavg.simulate(far, METHOD, rounds=2)


def test_a_run_whose_counts_are_numbers_of_numpy_can_be_extended():
    method = kavg.Algorithm(P=np.int64(4), K=np.int64(3), gamma=0.05, outer=Averaging())
    short = kavg.simulate(COSINE, method, rounds=2)
    whole = kavg.simulate(COSINE, method, rounds=4)
    assert np.array_equal(kavg.simulate(COSINE, method, rounds=4, extends=short).F, whole.F)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("start", [1.0, 1e-40, 1e-160, 1e-300])
def test_underflow_is_no_error_even_where_the_caller_made_it_one(start, dtype):
    for objective in (kavg.objectives.SineBowl(dim=3), kavg.objectives.DoubleWell(dim=3)):
        problem = kavg.Problem(objective, kavg.oracles.Noiseless(), start)
        expected = kavg.simulate(problem, METHOD, rounds=2, dtype=dtype)
        with np.errstate(all="raise"):
            found = kavg.simulate(problem, METHOD, rounds=2, dtype=dtype)
        assert np.array_equal(found.w, expected.w)
