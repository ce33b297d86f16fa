"""Averaged iterates: F and its gradient at a mean of the meta-iterates, as part of the run."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.raw_settings import list_errors, text
from helpers.same import same_bits

import kavg
from kavg.config.settings_file import parse_config
from kavg.errors import KavgError
from kavg.measures import ExponentialMean, SuffixMean, UniformMean

PROBLEM = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)
M_AVG = kavg.Algorithm(P=3, K=2, gamma=0.05, outer=kavg.outer.BlockMomentum(0.5))
AVERAGES = [ExponentialMean(0.75), UniformMean(), SuffixMean(after=3)]


def run(record=tuple(AVERAGES), **options):
    options = {"rounds": 8, "replicas": 2, "seed": 5} | options
    return kavg.simulate(PROBLEM, M_AVG, record=list(record), **options)


def iterates():
    """The meta-iterates after 0..8 rounds, ``(9, R, d)``."""
    found = []
    kept = {"kept": lambda n, w: found.append(w.copy()) or np.zeros(len(w))}
    kavg.simulate(PROBLEM, M_AVG, rounds=8, replicas=2, seed=5, record=kept)
    return np.array(found)


def exponential(w):
    a = w[0]
    for each in w[1:]:
        a = 0.75 * a + 0.25 * each
    return a


MEANS = {
    "ema": exponential,
    "uniform": lambda w: w.mean(axis=0),
    "suffix": lambda w: w[3:].mean(axis=0) if len(w) > 4 else w[-1],
}


def test_the_default_of_the_moving_mean_is_stated():
    assert ExponentialMean() == ExponentialMean(beta=0.9, name="ema")


@pytest.mark.parametrize("name", MEANS)
@pytest.mark.parametrize("every", [1, 3, 8])
def test_series_are_of_the_mean_whatever_rounds_are_recorded(name, every):
    done, w = run(every=every), iterates()
    for row, n in enumerate(done.rounds):
        a = MEANS[name](w[: n + 1])
        g = PROBLEM.objective.grad(a, np.empty_like(a))
        np.testing.assert_allclose(done.series[f"F_{name}"][row], PROBLEM.objective.value(a),
                                   rtol=1e-12)  # fmt: skip
        norm2 = np.vecdot(g, g)
        np.testing.assert_allclose(done.series[f"grad_norm2_{name}"][row], norm2, rtol=1e-10)


@pytest.mark.parametrize("done", range(1, 8))
def test_a_run_that_is_continued_has_the_same_bits(done):
    assert same_bits(run(), run(extends=run(rounds=done)))


def test_averages_do_not_change_the_run():
    plain = kavg.simulate(PROBLEM, M_AVG, rounds=8, replicas=2, seed=5)
    assert np.array_equal(plain.w, run().w)
    assert np.array_equal(plain.F, run().F)


def test_ends_are_other_series_bit_for_bit():
    done = run([ExponentialMean(0.0), SuffixMean(after=0, name="all"), UniformMean()])
    assert np.array_equal(done.series["F_ema"], done.F)
    assert np.array_equal(done.series["F_all"], done.series["F_uniform"])
    late = run([SuffixMean(after=8)])
    assert np.array_equal(late.series["grad_norm2_suffix"], late.grad_norm2)


def test_averages_are_told_apart_by_their_names():
    done = run([ExponentialMean(0.5, name="fast"), ExponentialMean(0.9, name="slow")])
    assert {"F_fast", "F_slow", "grad_norm2_fast", "grad_norm2_slow"} <= set(done.series)
    with pytest.raises(KavgError, match="F_ema"):
        run([ExponentialMean(0.5), ExponentialMean(0.9)])


def test_the_first_replicas_do_not_depend_on_the_others():
    short, long = run(), run(replicas=4)
    for name in ("F_ema", "F_uniform", "F_suffix"):
        assert np.array_equal(short.series[name], long.series[name][:, :2])


def test_averages_in_settings():
    measures = '["uniform", { kind = "ema", beta = 0.75 }, { kind = "suffix", after = 3 }]'
    config = parse_config(text(top=f"record.measures = {measures}"))
    assert config.record.measures[1] == ExponentialMean(0.75)
    (line,) = list_errors(text(top='record.measures = ["suffix"]'))
    assert "needs after; give a table with kind = 'suffix'" in line
    (line,) = list_errors(text(top='record.measures = [{ kind = "ema", beta = 1.0 }]'))
    assert "beta must be a number of at least 0 and below 1, got beta=1.0" in line
    for kind in ('"ema"', '"suffix", after = 1'):
        (line,) = list_errors(text(top=f'record.measures = [{{ kind = {kind}, name = "" }}]'))
        assert line.startswith("record.measures.0: name must be text, the end of the names")
