"""Short names of what a sweep varies: the columns of its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from kavg.config.tables import Place
from kavg.sweeps.designs.axes import EFFECTIVE_STEP, SettingAxis

GAMMA: Final[Place] = ("gamma",)
RULE: Final = "rule"
"""The column of the kind of an outer rule."""


def shorten_places(axes: Iterable[SettingAxis]) -> Mapping[SettingAxis, str]:
    """Return the short name of each axis: the last key of its place, as in gamma, mu, omega.

    A kind has the name of its table, and that of an outer rule is ``rule``.  Places that would have
    one name keep their whole path, without that of the algorithm.  Axes of several algorithms that
    vary the same setting have the same name.

    >>> from kavg.sweeps.designs.axes import read_axis
    >>> texts = ["algorithm.*.outer.mu", "objective.kind", "objective.scale", "start.scale"]
    >>> list(shorten_places(read_axis(("sweep",), text, (), [{}]) for text in texts).values())
    ['mu', 'objective', 'objective.scale', 'start.scale']
    """
    axes = list(axes)
    paths: dict[str, set[tuple[bool, Place]]] = defaultdict(set)
    for axis in axes:
        paths[_last_key(axis.path)].add(_find_setting(axis))
    # The effective step brings a column gamma, which another setting of that name must not take.
    if any(axis.is_derived for axis in axes):
        paths["gamma"].add((True, GAMMA))
    return {
        axis: last if len(paths[last := _last_key(axis.path)]) == 1 else _join(axis.path)
        for axis in axes
    }


def _find_setting(axis: SettingAxis) -> tuple[bool, Place]:
    return axis.algorithms is not None, axis.path


def _last_key(path: Place) -> str:
    if path in (("outer",), ("outer", "kind")):
        return RULE
    if isinstance(path[-1], int):
        return _join(path)
    is_kind = path[-1] == "kind" and len(path) > 1
    return str(path[-2] if is_kind else path[-1])


def _join(path: Place) -> str:
    return ".".join(map(str, path))


def describe_places(names: Mapping[SettingAxis, str]) -> dict[str, str]:
    """Return the place of each column, ``{"K": "algorithm.*.K"}``; gamma follows effective_step."""
    places = {
        name: _join(axis.path if axis.algorithms is None else ("algorithm", "*", *axis.path))
        for axis, name in names.items()
    }
    if EFFECTIVE_STEP in places:
        places.setdefault("gamma", "algorithm.*.gamma")
    return places
