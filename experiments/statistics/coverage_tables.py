"""How often 95 % intervals cover, by kind of interval and number of replicas.

``python experiments/statistics/coverage_tables.py [DRAWS]`` prints all tables; each draw is one
experiment of R replicas, taken from a pool of 4,000 (``populations.py``) or from a known law.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray
from populations import POOL, POOLS, SEED, Pool
from scipy import stats

from kavg.analysis.bootstrap import MIN_REPLICAS, bootstrap_interval
from kavg.analysis.estimate import Estimate, clip_interval, mean_interval, unpaired_difference
from kavg.analysis.looks import estimate_until, is_decided, is_narrow, plan_looks
from kavg.analysis.proportion import mean_share_interval, proportion_interval
from kavg.analysis.simultaneous import simultaneous_differences
from kavg.analysis.student import t_quantile
from kavg.analysis.targets import (
    TargetTime,
    compare_times,
    find_time,
    measure_time,
    median_time,
    restricted_mean,
)
from kavg.targets import TargetRule

Floats = NDArray[np.float64]
SIZES = (8, 16, 32, 64)
LEVEL = 0.95


@dataclass(frozen=True)
class Coverage:
    """How many of ``draws`` intervals held the truth, and the median of their widths."""

    what: str
    R: int
    held: int
    draws: int
    width: float

    @property
    def share(self) -> float:
        """The coverage."""
        return self.held / self.draws

    def __str__(self) -> str:
        """A cell: ``.947``, with ``*`` where it is below the level beyond chance (1 %)."""
        low = stats.binom.cdf(self.held, self.draws, LEVEL) < 0.01
        return f"{self.share:.3f}".lstrip("0") + ("*" if low else " ")


def cover(
    what: str, R: int, truth: float, intervals: Sequence[Estimate], log: bool = False
) -> Coverage:
    """Count the intervals that hold the truth; widths are relative to it."""
    low, high = (np.array([float(end) for end in ends]) for ends in _ends(intervals))
    held = int(((low <= truth) & (truth <= high)).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        widths = np.log(high / low) if log else (high - low) / abs(truth)
    return Coverage(what, R, held, len(intervals), float(np.median(widths)))


def _ends(intervals: Sequence[Estimate]) -> tuple[list[Floats], list[Floats]]:
    return [each.low for each in intervals], [each.high for each in intervals]


def table(found: Sequence[Coverage], widths: bool = False) -> str:
    """A line a kind of interval, a column a number of replicas."""
    kinds = list(dict.fromkeys(one.what for one in found))
    sizes = sorted({one.R for one in found})
    cells = {(one.what, one.R): one for one in found}
    long = max(map(len, kinds))
    lines = [f"{'R':<{long}}" + "".join(f"{R:>8}" for R in sizes)]
    for kind in kinds:
        row = [cells.get((kind, R)) for R in sizes]
        lines.append(f"{kind:<{long}}" + "".join(f"{one or '-':>8}" for one in map(_text, row)))
        if widths:
            shown = [f"{one.width:.2f} " if one else "-" for one in row]
            lines.append(f"{'  width':<{long}}" + "".join(f"{one:>8}" for one in shown))
    return "\n".join(lines)


def _text(one: Coverage | None) -> str:
    return str(one) if one else ""


# --- means


def lognormal(random: np.random.Generator, R: int) -> Floats:
    """Replicas of a skewed quantity: ``exp`` of a standard normal, of mean ``e^(1/2)``."""
    return random.lognormal(size=R)


def percentile(samples: Floats, resamples: int, random: np.random.Generator) -> Estimate:
    """The percentile bootstrap of a mean, which kavg does not offer."""
    rows = random.integers(0, len(samples), (resamples, len(samples)))
    low, high = np.quantile(samples[rows].mean(axis=1), [0.025, 0.975])
    return Estimate(samples.mean(), low, high, LEVEL, len(samples))


def means(draws: int, sizes: Sequence[int] = SIZES) -> Iterator[Coverage]:
    """A skewed mean, a paired and an unpaired difference of two methods at a round."""
    random = np.random.default_rng(SEED)
    pool = POOLS[0]()
    slow, fast = pool.slow[20], pool.fast[20]
    gap = float((slow - fast).mean())
    for R in sizes:
        skewed = [lognormal(random, R) for _ in range(draws)]
        yield cover("lognormal: Student", R, exp(0.5), [mean_interval(x) for x in skewed])
        bootstrap = [percentile(x, 499, random) for x in skewed]
        yield cover("lognormal: percentile bootstrap", R, exp(0.5), bootstrap)
        if R >= MIN_REPLICAS:
            studentized = [bootstrap_interval(x, resamples=499) for x in skewed]
            yield cover("lognormal: bootstrap-t", R, exp(0.5), studentized)
        chosen = [random.permutation(POOL)[: 2 * R] for _ in range(draws)]
        paired = [slow[rows[:R]] - fast[rows[:R]] for rows in chosen]
        yield cover("difference: paired", R, gap, [mean_interval(x) for x in paired])
        resampled = [percentile(x, 499, random) for x in paired]
        yield cover("difference: percentile bootstrap", R, gap, resampled)
        apart = [unpaired_difference(slow[rows[:R]], fast[rows[R:]]) for rows in chosen]
        yield cover("difference: unpaired (Welch)", R, gap, apart)


# --- times


def log_jackknife(pool: Pool, samples: Floats, rule: TargetRule) -> Estimate:
    """Student's interval of the log time, with the error of leaving out one replica at a time."""
    R = samples.shape[1]
    others = (samples.sum(axis=1, keepdims=True) - samples) / (R - 1)
    times = np.array([find_time(pool.axis, curve, pool.target, rule) for curve in others.T])
    mean = find_time(pool.axis, samples.mean(axis=1), pool.target, rule)
    if not np.isfinite([mean, *times]).all():
        return Estimate(np.asarray(mean), np.asarray(0.0), np.asarray(np.inf), LEVEL, R)
    logs = np.log(times)
    error = sqrt(float(np.square(logs - logs.mean()).sum()) * (R - 1) / R)
    factor = exp(t_quantile(R, LEVEL) * error)
    return Estimate(
        np.asarray(mean), np.asarray(mean / factor), np.asarray(mean * factor), LEVEL, R
    )


def percentile_time(
    pool: Pool, values: Floats, resamples: int, random: np.random.Generator
) -> Estimate:
    """The percentile bootstrap of the time of the mean: replicas drawn jointly over rounds."""
    R = values.shape[1]
    times = [
        find_time(pool.axis, values[:, random.integers(0, R, R)].mean(axis=1), pool.target)
        for _ in range(resamples)
    ]
    low, high = np.quantile(times, [0.025, 0.975], method="closest_observation")
    return Estimate(np.asarray(np.nan), np.asarray(low), np.asarray(high), LEVEL, R)


def times(draws: int) -> Iterator[Coverage]:
    """The time of one method, and the ratio of two, in each pool."""
    for make in POOLS:
        yield from times_of(make(), draws)


def times_by(rule: TargetRule, draws: int) -> Iterator[Coverage]:
    """The same by another rule, without the rivals."""
    for make in POOLS:
        yield from times_of(make(), draws, SIZES, rule, rivals=False)


def times_of(
    pool: Pool,
    draws: int,
    sizes: Sequence[int] = SIZES,
    rule: TargetRule = "isotonic",
    rivals: bool = True,
) -> Iterator[Coverage]:
    """Times and ratios, paired and unpaired, in one pool; ``rivals`` are not offered by kavg."""
    random = np.random.default_rng(SEED)
    a, b = pool.true_time(pool.slow, rule), pool.true_time(pool.fast, rule)
    for R in sizes:
        chosen = [random.permutation(POOL)[: 2 * R] for _ in range(draws)]
        slow = [time_in(pool, pool.slow, rows[:R], rule) for rows in chosen]
        fast = [time_in(pool, pool.fast, rows[:R], rule) for rows in chosen]
        other = [time_in(pool, pool.fast, rows[R:], rule) for rows in chosen]
        inverted = [one.estimate for one in slow]
        yield cover(f"{pool.name}: time", R, a, inverted, log=True)
        if rivals:
            few = [pool.slow[:, rows[:R]] for rows in chosen[: max(draws // 3, 1)]]
            jackknife = [log_jackknife(pool, x, rule) for x in few]
            yield cover(f"{pool.name}: time, jackknife", R, a, jackknife, log=True)
            few = few[: max(draws // 5, 1)]
            drawn = [percentile_time(pool, x, 199, random) for x in few]
            yield cover(f"{pool.name}: time, percentile bootstrap", R, a, drawn, log=True)
        pairs = zip(slow, fast, strict=True)
        ratios = [compare_times(*pair, paired=True) for pair in pairs]
        yield cover(f"{pool.name}: ratio, paired", R, a / b, ratios, log=True)
        pairs = zip(slow, other, strict=True)
        ratios = [compare_times(*pair, paired=False) for pair in pairs]
        yield cover(f"{pool.name}: ratio, unpaired", R, a / b, ratios, log=True)


def time_in(pool: Pool, values: Floats, rows: NDArray[np.intp], rule: TargetRule) -> TargetTime:
    """The time that R replicas give."""
    return measure_time(pool.axis, values[:, rows], pool.target, rule=rule, level=LEVEL)


# --- proportions


def proportions() -> str:
    """Exact coverage over p = 0.001, ..., 0.999: no draws."""
    lines = ["trials    Clopper-Pearson: least  mean    Wilson: least  mean"]
    for n in SIZES:
        p, k = np.arange(1, 1000) / 1000, np.arange(n + 1)
        exact = [proportion_interval(int(one), n) for one in k]
        wilson = [stats.binomtest(int(one), n).proportion_ci(method="wilson") for one in k]
        cells = []
        for low, high in (
            ([float(e.low) for e in exact], [float(e.high) for e in exact]),
            ([e.low for e in wilson], [e.high for e in wilson]),
        ):
            inside = (np.array(low) <= p[:, None]) & (p[:, None] <= np.array(high))
            held = (inside * stats.binom.pmf(k, n, p[:, None])).sum(axis=1)
            cells += [held.min(), held.mean()]
        lines.append(f"{n:>6}{cells[0]:>25.3f}{cells[1]:>7.3f}{cells[2]:>17.3f}{cells[3]:>7.3f}")
    return "\n".join(lines)


def accuracies(draws: int, sizes: Sequence[int] = SIZES) -> Iterator[Coverage]:
    """Accuracies of replicas on 50 examples, beta-binomial with mean 0.97."""
    random = np.random.default_rng(SEED)
    for R in sizes:
        shares = random.binomial(50, random.beta(19.4, 0.6, (draws, R))) / 50
        cut = [clip_interval(mean_interval(x), 0.0, 1.0) for x in shares]
        yield cover("Student, cut to [0, 1]", R, 0.97, cut)
        trials = [mean_share_interval(x) for x in shares]
        yield cover("trials of the same variance", R, 0.97, trials)


# --- tables of intervals


def tables(draws: int, sizes: Sequence[int] = SIZES, m: int = 10) -> Iterator[Coverage]:
    """Ten methods against one baseline, which all differences share: all ten at once."""
    random = np.random.default_rng(SEED)
    for R in sizes:
        held = {"each at 95 %": 0, "Bonferroni": 0, "largest t, resampled": 0}
        for _ in range(draws):
            x = random.standard_normal((m + 1, R))
            gaps = x[:m] - x[m]
            each = mean_interval(gaps)
            t = np.abs(each.mean) * t_quantile(R, LEVEL) / (each.high - each.mean)
            held["each at 95 %"] += bool((t <= t_quantile(R, LEVEL)).all())
            together = simultaneous_differences(x[:m], x[m])
            held["Bonferroni"] += bool(((together.low <= 0) & (together.high >= 0)).all())
            held["largest t, resampled"] += bool(t.max() <= largest_t(gaps, 199, random))
        for what, count in held.items():
            yield Coverage(what, R, count, draws, np.nan)


def largest_t(gaps: Floats, resamples: int, random: np.random.Generator) -> float:
    """The 95 % quantile of the largest t ratio over resamples of the replicas."""
    R = gaps.shape[1]
    drawn = (gaps - gaps.mean(axis=1, keepdims=True))[:, random.integers(0, R, (resamples, R))]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(drawn.mean(axis=2)) / (drawn.std(axis=2, ddof=1) / sqrt(R))
    return float(np.quantile(np.nan_to_num(t, nan=0.0).max(axis=0), LEVEL))


# --- looks


def stopped(draws: int) -> str:
    """Coverage where replicas are added until the interval is narrow, or decided."""
    lines = [f"{'law, aim, first look':<42}{'planned looks':>22}{'95 % at every look':>22}"]
    for law, draw in (("normal", standard_normal), ("exponential", standard_exponential)):
        for aim, stop in (("width 50 %", is_half), ("decided against the truth", is_wrong)):
            for first in (8, 32):
                cells = [stopping(draws, draw, stop, first, planned) for planned in (True, False)]
                text = "".join(f"{share:>11.3f} (R {R:>5.1f})" for share, R in cells)
                lines.append(f"{law + ', ' + aim + ', ' + str(first):<42}{text}")
    return "\n".join(lines)


def standard_normal(random: np.random.Generator) -> Floats:
    """Replicas of mean 1 and variance 1."""
    return 1 + random.standard_normal(256)


def standard_exponential(random: np.random.Generator) -> Floats:
    """Skewed replicas of mean 1 and variance 1."""
    return random.standard_exponential(256)


def is_half(estimate: Estimate) -> bool:
    """True if the interval is at most half its mean wide."""
    return is_narrow(estimate, 0.5)


def is_wrong(estimate: Estimate) -> bool:
    """True if the interval excludes the true mean, 1."""
    return is_decided(estimate, 1.0)


def stopping(
    draws: int,
    draw: Callable[[np.random.Generator], Floats],
    stop: Callable[[Estimate], bool],
    first: int,
    planned: bool,
) -> tuple[float, float]:
    """The coverage of the mean, 1, and the mean number of replicas at the end."""
    random = np.random.default_rng(SEED)
    looks = plan_looks(first, 256)
    held, used = 0, 0
    for _ in range(draws):
        x = draw(random)
        look = partial(interval_of, x, planned)
        end = estimate_until(look, stop, looks)
        held += bool(end.estimate.low <= 1 <= end.estimate.high)
        used += end.look.replicas
    return held / draws, used / draws


def interval_of(x: Floats, planned: bool, R: int, level: float) -> Estimate:
    """The interval of the first R replicas, at the level of the look or at 95 %."""
    return mean_interval(x[:R], level if planned else LEVEL)


# --- replicas that did not arrive


def censored(draws: int, sizes: Sequence[int] = SIZES) -> Iterator[Coverage]:
    """Lognormal times of which those above the end of the run, a quarter, are not seen."""
    random = np.random.default_rng(SEED)
    end = float(stats.lognorm.ppf(0.75, 0.6))
    restricted = stats.lognorm.expect(lambda t: min(t, end), (0.6,), points=[end], lb=0, ub=60)
    for R in sizes:
        drawn = random.lognormal(sigma=0.6, size=(draws, R))
        seen, arrived = np.minimum(drawn, end), drawn < end
        pairs = list(zip(seen, arrived, strict=True))
        yield cover("median (Kaplan-Meier)", R, 1.0, [median_time(*pair) for pair in pairs])
        means = [restricted_mean(*pair, until=end) for pair in pairs]
        yield cover("restricted mean", R, float(restricted), means)


def main(draws: int) -> None:
    """Print all tables."""
    print(f"coverage of 95 % intervals, {draws} draws a cell, seed {SEED};")
    print("* is below 95 % beyond chance (1 %)\n")
    for heading, found in (
        ("means", table(list(means(draws)))),
        ("time to target, rule isotonic; width: log of upper over lower end",
         table(list(times(draws)), widths=True)),
        ("time to target, rule first", table(list(times_by("first", draws)))),
        ("time to target, rule stays", table(list(times_by("stays", draws)))),
        ("proportions, exact", proportions()),
        ("mean accuracy of replicas, 50 examples each, mean 97 %", table(list(accuracies(draws)))),
        ("ten differences from one baseline, all ten at once", table(list(tables(draws)))),
        ("replicas added until the interval is enough", stopped(draws)),
        ("times of which a quarter is not seen", table(list(censored(draws)))),
    ):  # fmt: skip
        print(f"{heading}\n{found}\n", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
