"""Whether the periods that a run recorded are those of an algorithm."""

from __future__ import annotations

from collections.abc import Iterator

from kavg.base import AdaptivePeriod
from kavg.problem import Algorithm
from kavg.trajectory import Trajectory


def period_of(algorithm: Algorithm, run: Trajectory) -> int:
    """Return the period of the last round of a run; of an adaptive one, what the run says."""
    if isinstance(algorithm.K, AdaptivePeriod):
        return run.K
    return algorithm.count_local_steps(max(1, run.done or 1))


def find_other_period(algorithm: Algorithm, run: Trajectory) -> str | None:
    """Return where the recorded periods of a run are not those of an algorithm, None if they are.

    Compared are the K of every recorded round, and the number of local steps.  A K that adapts is
    computed once more from every recorded round whose successor is known.
    """
    if isinstance(algorithm.K, AdaptivePeriod):
        return next(_compare_adapted(algorithm, run), None)
    if not callable(algorithm.K) and not run.Ks.size:
        return None  # one number each, which is compared as P and B are
    for n, K in zip(run.rounds.tolist(), run.periods.tolist(), strict=True):
        if n > 0 and algorithm.count_local_steps(n) != K:
            return f"its K in round {n} was {K}, not {algorithm.count_local_steps(n)}"
    # Rounds that were not recorded have steps too.
    last, taken = int(run.rounds[-1]), int(run.steps[-1])
    if taken != (wanted := algorithm.sum_local_steps(last)):
        return f"its local steps up to round {last} were {taken}, not {wanted}"
    return None


def _compare_adapted(algorithm: Algorithm, run: Trajectory) -> Iterator[str]:
    if not run.done:
        return
    if run.next_K is None or not run.Ks.size:
        yield "the K of its next round is missing, as its K was a number or known beforehand"
        return
    rounds, Ks = run.rounds.tolist(), run.periods.tolist()
    known = dict(zip(rounds, Ks, strict=True)) | {run.done + 1: run.next_K}
    first = algorithm.count_local_steps(1)
    if rounds[0] <= 1 and first != Ks[0]:
        yield f"its K in round 1 was {Ks[0]}, not {first}"
    for n, K, spread in zip(rounds, Ks, run.dispersion, strict=True):
        adapted = algorithm.adapt_period(n, K, spread) if n > 0 else None
        if adapted is not None and known.get(n + 1, adapted) != adapted:
            yield f"its K in round {n + 1} was {known[n + 1]}, not {adapted}"
