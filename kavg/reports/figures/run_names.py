"""Names of runs that carry their settings: what differs in the name, what is shared in a note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kavg.reports.figures.sweeps.setting_axis import name_setting
from kavg.reports.labels import format_period
from kavg.text import escape_unprintable
from kavg.trajectory import Trajectory


def name_runs(
    trajectories: Sequence[Trajectory], sources: Sequence[str] = ()
) -> tuple[list[str], str]:
    """Return a name for each run and a note for the caption.

    A name is followed by the settings in which the runs differ; the note lists those that all
    share.  ``sources`` tell apart runs that are alike in all of this.

    >>> z = np.zeros((2, 1))
    >>> runs = [Trajectory("M-AVG", 2, K, 1, np.arange(2), {"F": z}, z.T, z.T, np.zeros(2),
    ...                    gammas=np.array([np.nan, 0.5])) for K in (1, 4)]
    >>> name_runs(runs)
    (['M-AVG, K=1', 'M-AVG, K=4'], 'P=2, B=1, γ=0.5')
    """
    found = [_settings(run) for run in trajectories]
    keys = list(dict.fromkeys(key for each in found for key in each))
    # A run without a number, as averaging has no mu, differs from one that has it.
    shared = [key for key in keys if len({each.get(key) for each in found}) == 1]
    unlike = [key for key in keys if key not in shared]
    names = [escape_unprintable(run.name).strip() for run in trajectories]
    full = [
        ", ".join(filter(None, [name, *_spell(each, unlike, name)]))
        for name, each in zip(names, found, strict=True)
    ]
    if len(set(full)) < len(full) and sources:
        full = [f"{name}, {place}" for name, place in zip(full, sources, strict=True)]
    return full, ", ".join(_spell(found[0], shared))


def _settings(run: Trajectory) -> dict[str, str]:
    """The settings of a run as text, by their names."""
    values: dict[str, object] = {"P": run.P, "K": format_period(run), "B": run.B}
    if spelled := _spell_gammas(run):
        values["gamma"] = spelled
    values |= {name: value for name, value in run.outer.items() if isinstance(value, float)}
    return {name: name_setting(name, value) for name, value in values.items()}


def _spell_gammas(run: Trajectory) -> str:
    gammas = run.gammas[np.isfinite(run.gammas)]
    if not gammas.size:
        return ""
    first, last = float(gammas[0]), float(gammas[-1])
    return f"{first:.4g}" if first == last else f"{first:.4g} to {last:.4g}"


def _spell(settings: Mapping[str, str], keys: Sequence[str], name: str = "") -> list[str]:
    # A name that a user chose may say it already: "K-AVG K=4".
    written = name.replace(" ", "")
    return [settings[key] for key in keys if key in settings and settings[key] not in written]
