"""Numbers, names and rows as plain text of a fixed width, for logs and pipes as for terminals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import count
from unicodedata import combining, east_asian_width

from kavg.analysis.estimate import Estimate
from kavg.errors import KavgError
from kavg.trajectory import Trajectory

DIGITS = 7
TITLES = {"grad_norm2": "||grad F||^2"}


def labels(trajectories: Sequence[Trajectory]) -> list[str]:
    """One printable, distinct, non-empty name for each algorithm.

    >>> import numpy as np
    >>> z = np.zeros((1, 1))
    >>> run = Trajectory("", 2, 8, 1, np.arange(1), {"F": z}, z, z, np.zeros(1))
    >>> labels([run, run])
    ['P=2 K=8', 'P=2 K=8 (2)']
    """
    if isinstance(trajectories, Trajectory) or not trajectories:
        raise KavgError("give a list of one or more trajectories, [trajectory] for one of them")
    taken: list[str] = []
    for run in trajectories:
        name = printable(run.name).strip() or f"P={run.P} K={run.K}"
        tries = (name if i == 1 else f"{name} ({i})" for i in count(1))
        taken.append(next(candidate for candidate in tries if candidate not in taken))
    return taken


def recorded(trajectories: Sequence[Trajectory]) -> list[str]:
    """Every recorded series, in the order of recording, each once."""
    return list(dict.fromkeys(name for run in trajectories for name in run.series))


def title(quantity: str) -> str:
    """The heading of a quantity: ``grad_norm2`` is ``||grad F||^2``."""
    return TITLES.get(quantity, printable(quantity).replace("_", " "))


def number(estimate: Estimate) -> str:
    """``mean [low, high]`` to two digits of the half-width, ``DIGITS`` in all at most.

    >>> from kavg.analysis.estimate import mean_interval
    >>> number(mean_interval([0.1231, 0.1252, 0.1249, 0.1240]))
    '0.1243 [0.1228, 0.1258]'
    >>> number(mean_interval([2.5]))
    '2.5 (one replica: no limits)'
    """
    mean, low, high = float(estimate.mean), float(estimate.low), float(estimate.high)
    if not math.isfinite(mean):
        return "not finite"
    if not (math.isfinite(low) and math.isfinite(high)):
        reason = "one replica: no limits" if estimate.replicas == 1 else "no limits"
        return f"{mean:.6g} ({reason})"
    half = high / 2 - low / 2
    place = math.floor(math.log10(half)) - 1 if half > 0 else -400
    return f"{_to(mean, place)} [{_to(low, place)}, {_to(high, place)}]"


def rows(names: Sequence[str], cells: Sequence[str], width: int) -> Iterator[str]:
    """Lines ``name  cell`` in two columns; a name too long for its column stands above its cell.

    >>> list(rows(["K-AVG", "a name that is far too long"], ["0.5", "0.25"], width=24))
    ['  K-AVG  0.5', '  a name that is far too', '  long', '         0.25']
    """
    room = width - 6 - max(map(len, cells))
    lengths = [columns(name) for name in names]
    column = max((length for length in lengths if length <= room), default=0)
    for name, length, cell in zip(names, lengths, cells, strict=True):
        if length <= column:
            yield f"  {name}{' ' * (column - length)}  {cell}"
        else:
            yield from wrap(name, width, "  ")
            yield f"  {' ' * column}  {cell}"


def wrap(text: str, width: int, indent: str) -> Iterator[str]:
    """Break a text at blanks, and inside words longer than a line, so that nothing is cut off."""
    line = indent
    for word in text.split(" "):
        for piece in _pieces(word, width - len(indent)):
            if line != indent and columns(line) + 1 + columns(piece) > width:
                yield line
                line = indent
            line += piece if line == indent else f" {piece}"
    yield line


def hanging(line: str, width: int = 100, indent: int = 8) -> str:
    """A line as long as it may be; what is left of it goes below, further in.

    >>> print(hanging("files   all as they were written", width=24))
    files   all as they
            were written
    """
    blank, line = " " * indent, printable(line)
    if columns(line) <= width:
        return line
    return "\n".join(wrap(line, width, blank)).removeprefix(blank)


def columns(text: str) -> int:
    """How many terminal columns a text takes: wide letters two, combining marks none."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def printable(text: str) -> str:
    r"""A text on one line, with control characters and lone surrogates spelled out.

    >>> print(printable("two" + chr(10) + "lines"))
    two\nlines
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _to(value: float, place: int) -> str:
    # The size is that of the rounded value: 9.96 to one decimal is 10.0, one digit longer.
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent - place >= DIGITS:
        return f"{value:.{DIGITS}g}"
    rounded = round(value, -place) if abs(place) < 300 else value
    if rounded == 0:
        return "0"
    exponent = math.floor(math.log10(abs(rounded)))
    if -5 < exponent < DIGITS and place <= 0:
        return f"{rounded:.{-place}f}"
    return f"{rounded:.{max(exponent - place, 0)}e}"


def _pieces(word: str, room: int) -> Iterator[str]:
    piece = ""
    for letter in word:
        if columns(piece + letter) > room:
            yield piece
            piece = ""
        piece += letter
    yield piece
