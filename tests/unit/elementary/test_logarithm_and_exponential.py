"""Logarithms and exponentials against decimals, over all of their ranges."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from helpers.memory import measure_peak

from kavg.elementary.exponential import exp, expm1, write_expm1_single
from kavg.elementary.logarithm import log, log1p, write_log_single

GENERATOR = np.random.default_rng(1)
TINY = 5e-324


def signed(x):
    return x * GENERATOR.choice([-1.0, 1.0], x.size)


def exactly(f, x):
    """f of a number, or of its distance from 1, in 60 digits more than the distance needs."""
    with localcontext(prec=420 if 0 < abs(x) < 1e-30 else 60):
        number = Decimal(float(x))
        return {
            "log": lambda: number.ln(),
            "log1p": lambda: (1 + number).ln(),
            "exp": lambda: number.exp(),
            "expm1": lambda: number.exp() - 1,
        }[f]()


def worst_ulps(f, x, found):
    """The largest error in units of the last place of the exact value."""
    worst = 0.0
    for number, result in zip(x, found, strict=True):
        exact = exactly(f, number)
        ulp = np.spacing(np.abs(found.dtype.type(exact)) or found.dtype.type(0))
        with localcontext(prec=60):
            worst = max(worst, float(abs(Decimal(float(result)) - exact) / Decimal(float(ulp))))
    return worst


def spread(low, high, count=150):
    """Numbers evenly spread in their logarithms."""
    return 2.0 ** GENERATOR.uniform(np.log2(low), np.log2(high), count)


LOGS = {
    "everywhere": spread(TINY * 4, 1e308),
    "subnormal": TINY * np.arange(1, 30),
    "near 1": 1 + GENERATOR.normal(size=150) * 10.0 ** -GENERATOR.uniform(1, 16, 150),
    "borders": np.array([0.7071067811865475, 0.7071067811865476, 0.5, 1.4142135623730951, 2.0]),
}
LOGS1P = {
    "above": spread(1e-20, 1e300),
    "below": -spread(1e-20, 1.0),
    "around 0": signed(spread(1e-20, 0.5)),
    "borders": np.array([0.41421356237309515, 0.4142135623730951, -0.2928932188134524, 2.0**53]),
}
EXPS = {
    "everywhere": GENERATOR.uniform(-708.0, 709.7, 150),
    "around 0": signed(spread(1e-20, 2.0, 300)),
    "one halving": GENERATOR.uniform(-1.1, 1.1, 1500),
    "subnormal": GENERATOR.uniform(-744.0, -708.5, 100),
    "borders": np.array([0.34657359, 0.34657360, -0.34657359, -0.3465736, 709.782712893384]),
}


@pytest.mark.parametrize("where", LOGS)
def test_log_is_right_to_an_ulp(where):
    x = LOGS[where][LOGS[where] != 1]
    assert worst_ulps("log", x, log(x)) < 1.0


@pytest.mark.parametrize("where", LOGS1P)
def test_log1p_is_right_to_an_ulp(where):
    assert worst_ulps("log1p", LOGS1P[where], log1p(LOGS1P[where])) < 1.0


@pytest.mark.parametrize("where", EXPS)
def test_exp_is_right_to_an_ulp(where):
    assert worst_ulps("exp", EXPS[where], exp(EXPS[where])) < 1.0


@pytest.mark.parametrize("where", EXPS)
def test_expm1_is_right_to_two_ulp(where):
    assert worst_ulps("expm1", EXPS[where], expm1(EXPS[where])) < 1.5


INF, NAN = np.inf, np.nan
LIMITS = {
    log: {0.0: -INF, 1.0: 0.0, INF: INF, -1.0: NAN, -INF: NAN, NAN: NAN},
    log1p: {-1.0: -INF, 0.0: 0.0, TINY: TINY, INF: INF, -2.0: NAN, -INF: NAN, NAN: NAN},
    exp: {-INF: 0.0, -746.0: 0.0, -745.1: TINY, 0.0: 1.0, 709.8: INF, INF: INF, NAN: NAN},
    expm1: {-INF: -1.0, -800.0: -1.0, 0.0: 0.0, TINY: TINY, 710.0: INF, INF: INF, NAN: NAN},
}


@pytest.mark.parametrize("f", LIMITS)
def test_limits(f):
    found = f(np.array([*LIMITS[f]]))
    assert found.dtype == np.float64
    assert np.array_equal(found, [*LIMITS[f].values()], equal_nan=True)


@pytest.mark.parametrize("f", [log1p, expm1])
def test_zeros_keep_their_signs(f):
    assert np.signbit(f(np.array([0.0, -0.0]))).tolist() == [False, True]


@pytest.mark.parametrize(
    ("f", "twin", "low", "high"),
    [
        (log, np.log, 0.0, 9.0), (log1p, np.log1p, -1.0, 9.0),
        (exp, np.exp, -50.0, 50.0), (expm1, np.expm1, -50.0, 50.0),
    ],
)  # fmt: skip
def test_numpys_own_functions_are_near_and_rows_are_alone(f, twin, low, high):
    x = np.linspace(low, high, 5001)[1:].reshape(1000, 5)
    assert np.allclose(f(x), twin(x), rtol=2e-15, atol=0)
    assert f(x)[3:7].tobytes() == f(x[3:7]).tobytes()
    assert f(x.T).T.tobytes() == f(x).tobytes()


SINGLES = {
    "log": (write_log_single, 4, np.concatenate([spread(2.0**-33, 1.0), 1 - spread(1e-7, 1e-2)])),
    "expm1": (write_expm1_single, 3, np.concatenate([spread(1e-9, 87.0), -spread(1e-9, 87.0)])),
}


@pytest.mark.parametrize("f", SINGLES)
def test_single_precision_is_right_to_two_ulp(f):
    write, planes, x = SINGLES[f]
    x = x.astype(np.float32)
    x = x[x != 1]
    out, work = np.empty_like(x), np.empty((planes, x.size), np.float32)
    write(x, out, work)
    assert worst_ulps(f, x, out) < 2.0
    write(x, x, work)
    assert x.tobytes() == out.tobytes()


@pytest.mark.parametrize("f", SINGLES)
def test_single_precision_allocates_nothing_of_the_size_of_its_argument(f):
    write, planes, _ = SINGLES[f]
    x, work = np.full((50, 200), 0.5, np.float32), np.empty((planes, 50, 200), np.float32)
    write(x.copy(), x, work)
    peak = measure_peak(lambda: write(x, x, work))
    assert peak < 4000


def test_single_precision_at_one_and_zero():
    x, work = np.array([1.0, 0.5], np.float32), np.empty((4, 2), np.float32)
    write_log_single(x, x, work)
    assert x.tolist() == [0.0, -float(np.float32(np.log(2.0)))]
    x = np.array([0.0, -0.0], np.float32)
    write_expm1_single(x, x, work[:3])
    assert x.tolist() == [0.0, 0.0]
