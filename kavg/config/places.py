"""The places of a settings file that ``--set PLACE=VALUE`` can change, as text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args, get_origin

from kavg.config.config import Config
from kavg.config.examples import format_text
from kavg.config.kinds import IN_PYTHON_ONLY, NAMES, key_hints, table_classes
from kavg.config.toml import MAX_DOTS
from kavg.errors import KavgError
from kavg.problem import Algorithm
from kavg.text import shorten_repr

_QUOTED: Final = r'(?P<quoted>"(?:[^"\\]|\\.)*"|' + r"'[^']*')"
_STEP: Final = re.compile(rf"\s*(?:{_QUOTED}|(?P<bare>[^.=\[]*))\s*")
_BRACKET: Final = re.compile(rf"\[\s*(?:{_QUOTED}|(?P<bare>[^\]]*?))\s*\]\s*")
_PLAIN: Final = re.compile(r"\w(?:[\w +:@%/-]*\w)?")
"""A name that needs no quotes."""


class Step(NamedTuple):
    """One step of a place: a key, the number of an entry, ``*``, or the name of an algorithm.

    In quotes it is a key or a name, even if it looks like a number.
    """

    text: str
    is_quoted: bool = False


def split_override(override: str) -> tuple[list[Step], str]:
    """Return the place and the text of the value of ``PLACE=VALUE``.

    Steps stand between dots or in brackets; one that has a dot, a bracket or an equals sign, or
    that is a number but means a name, is in the quotes of TOML.  Raises ``KavgError`` if it is
    none.

    >>> split_override('algorithm["mu = 0.5"].K=4') == split_override("algorithm.'mu = 0.5'.K=4")
    True
    >>> split_override("algorithm[0].outer.mu=0.5")[1]
    '0.5'
    """
    steps: list[Step] = []
    end = 0
    while not steps or override[end : end + 1] == ".":
        match = _STEP.match(override, end + bool(steps))
        while match is not None:
            steps.append(_read_step(match, override))
            end = match.end()
            match = _BRACKET.match(override, end)
    if override[end : end + 1] != "=" or steps == [Step("")]:
        raise KavgError(f"needs place=value, got {shorten_repr(override)}; as in --set rounds=100")
    if len(steps) > MAX_DOTS:
        raise KavgError(f"a place has at most {MAX_DOTS} steps, got {len(steps)}")
    return steps, override[end + 1 :]


def _read_step(match: re.Match[str], override: str) -> Step:
    if match["quoted"] is None:
        return Step(match["bare"].strip())
    try:
        return Step(tomllib.loads(f"step = {match['quoted']}")["step"], is_quoted=True)
    except ValueError:
        raise KavgError(
            f"{shorten_repr(match['quoted'])} is no text as TOML writes it, in "
            f"{shorten_repr(override)}; a \\ needs another before it, or use single quotes"
        ) from None


def join_steps(*steps: str | int) -> str:
    """Return the place that these keys, numbers and names lead to; names are quoted if needed.

    >>> join_steps("algorithm", "M-AVG", "K"), join_steps("algorithm", "mu = 0.5", "K")
    ('algorithm.M-AVG.K', 'algorithm["mu = 0.5"].K')
    """
    return "".join(map(format_selector, steps)).removeprefix(".")


def format_place(steps: Sequence[Step]) -> str:
    """Return a place as it was given, with the quotes that were."""
    given = (f"[{format_text(s.text)}]" if s.is_quoted else f".{s.text}" for s in steps)
    return "".join(given).removeprefix(".")


def format_selector(step: str | int) -> str:
    """Return a step with the dot or the brackets that it stands after."""
    if isinstance(step, int) or (_PLAIN.fullmatch(step) and not step.isdecimal()):
        return f".{step}"
    return f"[{format_text(step)}]"


def setting_places(tables: Mapping[str, Any]) -> list[str]:
    """List all places, for the kinds and the algorithms that the tables of a file name.

    Keys of all kinds are listed where no kind is given.  Algorithms are selected by their names,
    by their numbers if a name is missing or needs quotes, or by ``*``, which means all of them.

    >>> places = setting_places({"objective": {"kind": "cosine"}, "algorithm": [{"name": "M-AVG"}]})
    >>> [place for place in places if place.startswith("objective")]
    ['objective.kind', 'objective.dim', 'objective.lam', 'objective.A', 'objective.omega']
    >>> "algorithm.M-AVG.outer.mu" in places
    True
    """
    return list(dict.fromkeys(_places_of_class(Config, tables, "")))


def _places_of_class(cls: type, table: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, hint in key_hints(cls).items():
        yield from _places_of_value(hint, table.get(key), f"{prefix}{key}")


def _places_of_value(hint: Any, value: object, place: str) -> Iterator[str]:
    """The places in a value: itself, the keys of its table, or both where it may be either."""
    classes = table_classes(hint)
    if classes == [Algorithm]:
        for selector, table in _select_algorithms(value):
            yield from _places_of_class(Algorithm, table, f"{place}{selector}.")
        return
    if classes and get_origin(hint) is tuple:  # a list of tables, all of which a * selects
        yield from _places_of_table(classes, None, f"{place}.*")
        return
    members = [each for each in get_args(hint) or (hint,) if each not in IN_PYTHON_ONLY]
    has_kinds = any(cls in NAMES for cls in classes)
    # Where a number would do too (gamma, start), kinds are listed only if the file has a table.
    if classes and (isinstance(value, dict) or len(members) == 1 or not has_kinds):
        yield from _places_of_table(classes, value, place)
    if not classes or len(members) > 1:
        yield place


def _places_of_table(classes: list[type], value: object, place: str) -> Iterator[str]:
    table = value if isinstance(value, dict) else {}
    named = [cls for cls in classes if cls in NAMES]
    if named:
        yield f"{place}.kind"
    fitting = [cls for cls in named if NAMES[cls] == table.get("kind")]
    for cls in fitting or classes:
        yield from _places_of_class(cls, table, f"{place}.")


def _select_algorithms(value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield ".*", {}
    for i, table in enumerate(value if isinstance(value, list) else []):
        if isinstance(table, dict):
            name = table.get("name", "")
            is_name = isinstance(name, str) and name.strip() and name.isprintable()
            selector = format_selector(name) if is_name else format_selector(i)
            yield selector, table
            # A shell may not be able to complete quotes.
            if selector.startswith("["):
                yield format_selector(i), table
