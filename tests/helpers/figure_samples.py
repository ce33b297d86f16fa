"""Runs, points and estimates to draw, hostile ones among them."""

from __future__ import annotations

import numpy as np

from kavg.analysis.estimate import mean_interval
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity
from kavg.reports.figures.sweeps.point_values import final_value
from kavg.trajectory import Trajectory

LONG = "an algorithm of a long name, with gamma = 0.001953125 and mu = 0.96875"
F = PlottedQuantity("F")


def a_run(name="K-AVG", R=12, rounds=40, diverged_at=None, floor=0.01, scale=1.0, **changes):
    """A run whose quantities fall to a floor, or grow until one is NaN."""
    n = np.arange(rounds + 1)
    noise = np.random.default_rng(1).gamma(5.0, 0.2, size=(rounds + 1, R))
    F = scale * (np.exp(-n / 8) + floor)[:, None] * noise
    series = {"F": F, "grad_norm2": F * (F / scale), "dispersion": F * (n > 0)[:, None]}
    if diverged_at is not None:
        growth = np.exp(np.minimum(n**1.5, 600))[:, None]
        series = {key: x * growth for key, x in series.items()}
        series["F"][-1] = np.nan
    fields = {"P": 4, "K": 2, "B": 1} | changes
    w = np.zeros((R, 2))
    gammas = np.full(rounds + 1, 0.25)
    gammas[0] = np.nan
    order = (fields["P"], fields["K"], fields["B"])
    return Trajectory(name, *order, n, series, w, w, n / 10, diverged_at, gammas)


def some_points(
    gammas=tuple(2.0**i for i in range(-6, 0)),
    mus=(0.0, 0.5, 0.9),
    names=("K-AVG", "M-AVG"),
    R=16,
    **others,
):
    """Points of a grid: the best is near an effective step of 0.1; beyond 1 they diverge."""
    noise = np.random.default_rng(2).normal(1.0, 0.02, size=R)
    points = []
    for place, name in enumerate(names):
        for gamma in gammas:
            for mu in mus if place else (0.0,):
                step = gamma / (1 - mu)
                value = np.exp(2 * np.log(step / 0.1) ** 2 / (1 + place)) * 1e-3
                samples = value * noise if step < 1.5 else np.full(R, np.nan)
                settings = {"gamma": gamma, "mu": mu} | others
                points.append(final_value(name, settings, samples, F))
    return points


def an_estimate(means, spread=0.1, R=8):
    """Estimates of means with intervals of a relative width."""
    sides = np.random.default_rng(3).normal(1.0, spread, size=R)
    sides = sides / sides.mean()
    return mean_interval(np.multiply.outer(np.asarray(means, float), sides))
