"""Axes of a sweep: the places of a settings file that are varied, and their values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

from kavg.config.messages import format_steps
from kavg.config.places import Step, format_selector, split_override
from kavg.config.tables import Place
from kavg.errors import KavgError
from kavg.text import shorten_repr

EFFECTIVE_STEP: Final = "effective_step"
"""The pseudo-place that sets gamma so that ``alpha gamma/(1 - mu)`` has the value."""
MOST_NAMES: Final = 20
"""Names of algorithms that a message shows."""
ALGORITHM: Final = ("algorithm", 0)
"""The place of the algorithm in the settings of a point, which have one alone."""
FIXED: Final[Mapping[str, str]] = {
    "seed": "all points share the noise of one seed; replicas repeat each on other noise",
    "replicas": "all points have the same number, that of the file or of [[sweep.stage]]",
    "sweep": "it says itself what is varied",
    "name": "algorithms are told apart by it",
    "method": "it stands for the parts of an algorithm; give each method an [[algorithm]]",
} | dict.fromkeys(
    ("record", "checkpoint", "figures", "timeout", "agree_every"), "it changes no result"
)
"""Keys that cannot be varied, with the reason."""
OF_ALGORITHM: Final = ("name", "method")
"""Those that are fixed in an algorithm; the others are at the top of the file."""


@final
@dataclass(frozen=True)
class SettingAxis:
    """One setting that is varied, where it is said, and its values.

    ``group`` are the keys of the table it stands in, ``text`` is the place as it was written.
    ``path`` are the keys that lead to the value, inside an algorithm where ``algorithms`` are the
    numbers of those that it concerns; these are None for a setting of the problem.
    """

    group: tuple[str, ...]
    text: str
    path: Place
    algorithms: tuple[int, ...] | None
    # Not compared, as lists and tables have no hash; two axes never have one text in one group.
    values: tuple[Any, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """The axis as messages call it: ``sweep.grid.'algorithm.*.K'``."""
        return format_steps((*self.group, self.text))

    @property
    def is_tuned(self) -> bool:
        """True if only the best value counts."""
        return "tune" in self.group

    @property
    def is_derived(self) -> bool:
        """True for the effective step, from which gamma follows."""
        return self.algorithms is not None and self.path == (EFFECTIVE_STEP,)

    @property
    def target(self) -> Place:
        """The path of the setting that it changes: that of gamma for the effective step."""
        return ("gamma",) if self.is_derived else self.path

    @property
    def place(self) -> Place:
        """The place that it changes in the settings of a point."""
        return self.target if self.algorithms is None else (*ALGORITHM, *self.target)

    def concerns(self, algorithm: int) -> bool:
        """True if the points of the algorithm of this number may have the setting."""
        return self.algorithms is None or algorithm in self.algorithms

    def has_target_of(self, other: SettingAxis) -> bool:
        """True if both change the same setting of an algorithm, or of the problem.

        The effective step replaces gamma as a whole, so it has what is inside a schedule too.
        """
        if self.is_derived != other.is_derived:
            found = other if self.is_derived else self
            return self.meets(other) and found.path[0] == self.target[0] == other.target[0]
        return self.target == other.target and self.meets(other)

    def meets(self, other: SettingAxis) -> bool:
        """True if both are of one algorithm, or both of the problem."""
        if self.algorithms is None or other.algorithms is None:
            return self.algorithms is other.algorithms
        return not {*self.algorithms}.isdisjoint(other.algorithms)


def read_axis(
    group: tuple[str, ...], text: str, values: tuple[Any, ...], algorithms: Sequence[Any]
) -> SettingAxis:
    """Return the axis of a place; ``algorithms`` are the tables ``[[algorithm]]`` of the file.

    Raises ``KavgError`` if the text is no place, or one that cannot be varied.

    >>> axis = read_axis(("sweep",), "algorithm.M.K", (1, 2), [{"name": "L"}, {"name": "M"}])
    >>> axis.path, axis.algorithms, axis.name
    (('K',), (1,), "sweep.'algorithm.M.K'")
    """
    steps = split_place(text)
    numbers, inner = None, steps
    if steps[0].text == "algorithm":
        if len(steps) < 3:
            raise KavgError("needs a key of an algorithm; as in algorithm.*.K")
        numbers, inner = select_algorithms(steps[1], algorithms), steps[2:]
    key = inner[0].text
    if key in FIXED and (key in OF_ALGORITHM) == (numbers is not None):
        raise KavgError(f"{key} cannot be varied: {FIXED[key]}")
    return SettingAxis(group, text, tuple(map(_to_key, inner)), numbers, values)


def split_place(text: str) -> list[Step]:
    """Return the steps of a place (``split_override``); raise ``KavgError`` if it is none."""
    try:
        steps, rest = split_override(f"{text}=")
    except KavgError:
        steps, rest = [], ""
    if not steps or rest:
        raise KavgError(f"needs a place such as algorithm.*.K, got {shorten_repr(text)}")
    return steps


def normalise_place(text: str) -> str:
    """Return a place in one spelling, the same for ``a[0].K`` and ``a.0 . K``."""
    return spell_steps(split_place(text))


def spell_steps(steps: Sequence[Step]) -> str:
    """Return a place as text: ``algorithm.*.K``.

    >>> spell_steps(split_place("algorithm[*] . K")), spell_steps(split_place("algorithm['0'].K"))
    ('algorithm.*.K', 'algorithm["0"].K')
    """
    parts = (".*" if step == Step("*") else format_selector(_to_key(step)) for step in steps)
    return "".join(parts).removeprefix(".")


def _to_key(step: Step) -> str | int:
    is_number = step.text.isascii() and step.text.isdecimal() and not step.is_quoted
    return int(step.text) if is_number else step.text


def select_algorithms(step: Step, algorithms: Sequence[Any]) -> tuple[int, ...]:
    """Return the numbers of the algorithms that a step selects: one, those of a name, or all.

    Raises ``KavgError`` if there is none.
    """
    if step == Step("*"):
        return tuple(range(len(algorithms)))
    number = _to_key(step)
    if isinstance(number, int) and number < len(algorithms):
        return (number,)
    names = [table.get("name") if isinstance(table, dict) else None for table in algorithms]
    if selected := tuple(i for i, name in enumerate(names) if name == step.text):
        return selected
    texts = [name for name in names if isinstance(name, str)]
    close = difflib.get_close_matches(step.text[:100], texts, n=1)
    names_given = ", ".join(map(shorten_repr, texts[:MOST_NAMES])) or "without names"
    known = f"use * for all, a number below {len(algorithms)}, or a name: {names_given}"
    advice = f"did you mean {shorten_repr(close[0])}?" if close else known
    raise KavgError(f"there is no algorithm {shorten_repr(step.text)}; {advice}")
