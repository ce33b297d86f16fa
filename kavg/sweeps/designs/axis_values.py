"""The values of an axis: listed, spaced or drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import inf
from typing import Any

from kavg.config.sweeps.spacing import BASES, Spacing, choose_by_share
from kavg.config.sweeps.tables import AxisValues, RandomTable
from kavg.errors import KavgError
from kavg.sweeps.designs.axes import normalise_place
from kavg.text import shorten_repr


def list_values(values: AxisValues) -> tuple[Any, ...]:
    """Return the values of a grid or of a list that advances with others.

    Raises ``KavgError`` if there are none, or a law to draw from.

    >>> list_values(Spacing(log2=(0, 3))), list_values((0.5, "exact"))
    ((1, 2, 4, 8), (0.5, 'exact'))
    """
    if isinstance(values, Spacing):
        if values.form == "uniform":
            raise KavgError(
                "uniform is a law of [sweep.random]; use linear = [low, high] with count"
            )
        # By default one an octave or decade, which its constructor checks to fit.
        is_open = values.is_law and values.form in BASES
        return (replace(values, per=1) if is_open else values).values
    if not values:
        raise KavgError("needs at least one value, got []")
    return values


def find_repeated(values: Sequence[Any]) -> Any:
    """Return a value that a list has twice, None if there is none.

    >>> find_repeated([0.5, 1, 1.0]), find_repeated([{"kind": "none"}, 1])
    (1.0, None)
    """
    texts: set[str] = set()
    for value in values:
        text = spell_value(value)
        if text in texts:
            return value
        texts.add(text)
    return None


def spell_value(value: Any) -> str:
    """Return a value as text, the same for values that are the same setting.

    >>> spell_value([1.0, {"mu": 0.5, "kind": "slowmo"}]), spell_value(True)
    ("[1, {'kind': 'slowmo', 'mu': 0.5}]", 'True')
    """
    if isinstance(value, dict):
        pairs = (f"{key!r}: {spell_value(value[key])}" for key in sorted(value))
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(spell_value, value))}]"
    is_whole = isinstance(value, float) and value.is_integer()
    return repr(int(value)) if is_whole else repr(value)


def check_effective_steps(values: Sequence[Any]) -> None:
    """Raise ``KavgError`` unless all values are finite numbers above 0, as a step size is.

    >>> check_effective_steps((0.5, 2))
    """
    for value in values:
        if type(value) not in (int, float) or not 0 < value < inf:
            raise KavgError(f"needs finite numbers above 0, got {shorten_repr(value)}")


def draw_values(text: str, values: AxisValues, random: RandomTable) -> tuple[Any, ...]:
    """Return a value for each trial, drawn from a law or chosen from a list.

    A draw is a function of the seed, the place and the number of the trial, so other places and
    more trials change nothing about it, on any machine.

    >>> K = draw_values("algorithm.*.K", (1, 2, 4), RandomTable(trials=5, seed=1))
    >>> K == draw_values("algorithm.*.K", (1, 2, 4), RandomTable(trials=9, seed=1))[:5]
    True
    """
    if not isinstance(values, Spacing) and not values:
        raise KavgError("needs at least one value, got []")
    place = normalise_place(text)
    shares = [_draw_share(f"{random.seed}:{place}:{trial}") for trial in range(random.trials)]
    if isinstance(values, Spacing):
        return tuple(values.draw(share) for share in shares)
    return tuple(choose_by_share(values, share) for share in shares)


def _draw_share(address: str) -> Fraction:
    """A number of 0 <= share < 1, with 53 bits, for an address."""
    digest = hashlib.sha256(address.encode("utf-8", "surrogatepass")).digest()
    return Fraction(int.from_bytes(digest[:8], "big") >> 11, 2**53)
