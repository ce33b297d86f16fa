"""Run folders and sweep folders as groups of methods to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kavg.analysis.methods.comparison import MethodGroup
from kavg.cli.comparisons.candidates import Candidate
from kavg.reports.comparisons.labels import describe_settings
from kavg.targets import Target
from kavg.text import escape_unprintable


def find_sweep_target(candidates: Sequence[Candidate]) -> Target | None:
    """Return the target of the sweeps that candidates come from, if they have one and the same."""
    targets = {each.target for each in candidates if each.target is not None}
    return next(iter(targets)) if len(targets) == 1 else None


def make_groups(candidates: Sequence[Candidate], *, together: bool = False) -> list[MethodGroup]:
    """Return the methods of candidates, in groups to be compared.

    Those of a sweep are grouped by the settings that all cells have, and what else a cell holds is
    in the label.  Runs of plain folders are in every group.  There is one group if ``together``, or
    if others would hold a single method each.
    """
    # Algorithms may have cells of unlike settings: mu, where one has no momentum.
    cells = [each.cell for each in candidates if each.cell]
    shared = [name for name in (cells[0] if cells else ()) if all(name in cell for cell in cells)]
    groups = _group_by(candidates, () if together else shared)
    if max(map(len, groups)) < 2:
        groups = [[*candidates]]
    return [make_group(group, shared if len(groups) > 1 else ()) for group in groups]


def _group_by(candidates: Sequence[Candidate], names: Sequence[str]) -> list[list[Candidate]]:
    keys = [_group_key(each, names) for each in candidates]
    known: list[str | None] = [key for key in dict.fromkeys(keys) if key is not None]
    # None is the key of plain runs, which are in every group, or a group of their own.
    return [
        [each for each, own in zip(candidates, keys, strict=True) if own in (key, None)]
        for key in known or [None]
    ]


def _group_key(candidate: Candidate, names: Sequence[str]) -> str | None:
    return str([candidate.cell[name] for name in names]) if candidate.cell else None


def make_group(candidates: Sequence[Candidate], shared: Sequence[str]) -> MethodGroup:
    """Return the group of these candidates, whose cells agree in the settings ``shared``."""
    names = [_name_candidate(each, shared) for each in candidates]
    labels = distinct_labels(names, [each.folder for each in candidates])
    methods = (each.to_method(label) for each, label in zip(candidates, labels, strict=True))
    cell = next((each.cell for each in candidates if each.cell), {})
    return MethodGroup(tuple(methods), {name: cell[name] for name in shared})


def _name_candidate(candidate: Candidate, shared: Sequence[str]) -> str:
    own = {name: value for name, value in candidate.cell.items() if name not in shared}
    name = candidate.algorithm.name or candidate.run.name
    return f"{name}, {describe_settings(own)}" if own else name


def distinct_labels(names: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Return a printable label for each name, with its folder or a number where names are equal.

    >>> distinct_labels(["M-AVG", "M-AVG", "K-AVG"], [Path("runs/a"), Path("runs/b"), Path("a")])
    ['M-AVG (a)', 'M-AVG (b)', 'K-AVG']
    >>> distinct_labels(["M-AVG", "M-AVG"], [Path("a"), Path("a")])
    ['M-AVG (a) #1', 'M-AVG (a) #2']
    """
    count = Counter(names)
    labels = [
        name if count[name] == 1 else f"{name} ({folder.name})"
        for name, folder in zip(names, folders, strict=True)
    ]
    again, seen = Counter(labels), Counter[str]()
    for i, label in enumerate(labels):
        seen[label] += 1
        labels[i] = escape_unprintable(label if again[label] == 1 else f"{label} #{seen[label]}")
    return labels
