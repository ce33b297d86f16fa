"""The verdict on a repetition of a run, and its reasons in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from kavg.analysis.differences import (
    compare_mappings,
    first_difference,
    flatten_tables,
    trajectory_shape,
)
from kavg.analysis.repeatability import (
    Discrepancy,
    measure_discrepancies,
    significant_discrepancies,
)
from kavg.portability import SameBits, is_portable
from kavg.reports.labels import format_estimate
from kavg.trajectory import Trajectory

SAME: Final = "same bits"
ALIKE: Final = "same within confidence"
DIFFERENT: Final = "different"

MACHINE_DEPENDENCIES: Final = {
    "processor": "functions of the C library, NumPy and BLAS may be others",
    "c_library": "its functions may differ, so F and gradients over data",
    "simd": "NumPy's functions may differ, so F and gradients over data",
    "blas": "products with data may differ",
}
"""What may change the last bits of a run that does not promise the same on any machine."""
BIT_DEPENDENCIES: Final = {
    "machine": "any last bit may differ",
    **MACHINE_DEPENDENCIES,
    "versions.numpy": "any last bit may differ",
    "versions.kavg": "any bit may differ",
    "arithmetic": "other numbers are possible",
    "ranks": "sums of mean = 'allreduce' differ",
}
"""What may change the bits, with the reason; see docs/design.md, What a digest promises."""
UNTRIED: Final = "the same bits are expected, but not everywhere tried"
"""The reason for what bits that are the same on any machine should not depend on."""
EXPECTED: Final = dict.fromkeys(("machine", "versions.numpy"), UNTRIED)
"""The reasons for a run that promises the same bits on any machine, in place of those above."""
NAMES: Final = {"c_library": "C library", "simd": "SIMD extensions", "blas": "BLAS"}
UNKNOWN: Final = "not recorded"


@final
@dataclass(frozen=True)
class Judgement:
    """A verdict on a repetition, ``SAME``, ``ALIKE`` or ``DIFFERENT``, with its reasons."""

    verdict: str
    lines: tuple[str, ...] = ()


def judge_repetition(
    before: Sequence[Trajectory], now: Sequence[Trajectory], *, same_environment: bool, level: float
) -> Judgement:
    """Compare runs with their repetition, algorithm by algorithm.

    In the same environment every bit must be the same.  On another machine or with other versions
    bits may differ (``environment_changes``); there, a quantity is different only
    if it moved by more than rounding and by more than chance explain, at ``level`` over all
    quantities together (``kavg.analysis.repeatability``).

    >>> import numpy as np
    >>> F = np.array([[4.0, 4.0], [1.0, 1.5]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> judge_repetition([run], [run], same_environment=True, level=0.05)
    Judgement(verdict='same bits', lines=())
    """
    pairs = list(zip(before, now, strict=True))
    shapes = [line for a, b in pairs for line in _shape_changes(a, b)]
    differences = [
        f"{a.name}: {found}" for a, b in pairs if (found := first_difference(a, b)) is not None
    ]
    if not shapes and not differences:
        return Judgement(SAME)
    # Runs of different shapes have no numbers to pair, in whatever environment.
    if shapes or same_environment:
        return Judgement(DIFFERENT, tuple(shapes or differences))
    table = [gap for a, b in pairs for gap in measure_discrepancies(a, b, level)]
    beyond = significant_discrepancies(table, level)
    shown = (_describe_discrepancy(gap) for gap in beyond or table if gap.rounding > 0)
    return Judgement(DIFFERENT if beyond else ALIKE, (*differences, *shown))


def _shape_changes(a: Trajectory, b: Trajectory) -> Iterator[str]:
    for what, then, now in compare_mappings(trajectory_shape(a), trajectory_shape(b)):
        yield f"{a.name}: {what}: {then} recorded and {now} repeated"


def _describe_discrepancy(gap: Discrepancy) -> str:
    difference = format_estimate(gap.interval)
    return (
        f"{gap.algorithm}: {gap.quantity}: recorded minus repeated {difference} at the end, "
        f"{gap.rounding:.3g} times what rounding explains"
    )


def environment_changes(
    recorded: Mapping[str, Any], here: Mapping[str, Any], mean: str, same_bits: SameBits = "unknown"
) -> list[str]:
    """List the changes of machine and versions that the bits depend on, with their reasons.

    ``recorded`` is the environment of the last session of a run, with the ``earlier`` ones: each is
    compared with ``here``.  ``list_bit_dependencies`` says which changes count.

    >>> environment_changes({"machine": "arm64"}, {"machine": "x86_64", "cores": 8}, "exact")
    ['machine x86_64 (then arm64): any last bit may differ']
    """
    earlier = recorded.get("earlier")
    sessions = [*(earlier if isinstance(earlier, list) else []), recorded]
    then, now = list(map(flatten_environment, sessions)), flatten_environment(here)
    changes = []
    for place, reason in list_bit_dependencies(mean, same_bits).items():
        if place in now:
            before = _describe_sessions([each.get(place, UNKNOWN) for each in then], now[place])
            name = NAMES.get(place, place.removeprefix("versions."))
            changes += [f"{name} {now[place]} (then {before}): {reason}"] if before else []
    return changes


def flatten_environment(facts: object) -> dict[str, Any]:
    """Flatten an environment by place; ``ranks`` includes the MPI library that adds over them.

    >>> flatten_environment({"ranks": 3, "mpi": "MPICH 4"})["ranks"]
    '3 of MPICH 4'
    """
    places = flatten_tables(facts)
    ranks, mpi = places.get("ranks"), places.get("mpi")
    # A single rank adds nothing over ranks.
    if not isinstance(mpi, str) or not mpi or ranks in (None, 1):
        return places
    return places | {"ranks": f"{ranks} of {' '.join(mpi.split())}"}


def list_bit_dependencies(mean: object, same_bits: SameBits) -> dict[str, str]:
    """List the places of an environment that a run's bits may depend on, with the reasons.

    ``mean`` is the setting: with ``"allreduce"`` bits depend on the ranks and their MPI library as
    well.  With a ``same_bits`` for any machine they depend neither on the processor nor on
    libraries.

    >>> "ranks" in list_bit_dependencies("exact", "any machine")
    False
    """
    reasons = BIT_DEPENDENCIES
    if is_portable(same_bits):
        reasons = reasons | EXPECTED
        reasons = {place: reasons[place] for place in reasons if place not in MACHINE_DEPENDENCIES}
    return {place: reasons[place] for place in reasons if place != "ranks" or mean == "allreduce"}


def _describe_sessions(then: Sequence[object], now: object) -> str:
    """The values of sessions that differ from ``now``, with the numbers of those sessions."""
    sessions: dict[str, list[int]] = {}
    for number, value in enumerate(then, start=1):
        if value != now:
            sessions.setdefault(str(value), []).append(number)
    if len(then) == 1:
        return ", ".join(sessions)
    places = {value: ", ".join(map(str, numbers)) for value, numbers in sessions.items()}
    return ", ".join(
        f"{value} in session {place} of {len(then)}" for value, place in places.items()
    )
