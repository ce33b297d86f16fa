"""Settings changed from the command line: ``--set PLACE=VALUE``."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from typing import Any

from kavg.config.examples import format_value, parse_value
from kavg.config.places import Step, format_place, format_selector, split_override
from kavg.config.samples import SAMPLES
from kavg.config.toml import check_whole_numbers
from kavg.errors import KavgError
from kavg.text import shorten_repr


def apply_override(data: dict[str, Any], override: str) -> None:
    """Set a value by its place: ``a.b=c``, ``algorithm.0.K=4``, ``algorithm["NAME"].K=4``.

    A ``*`` means all entries of a list; tables that do not exist are created.  The value is one of
    TOML, a number such as ``.1``, or text that needs no quotes (``mean=allreduce``).  Raises
    ``KavgError`` if there is no such place.

    >>> data = {"algorithm": [{"K": 1}, {"K": 2}]}
    >>> apply_override(data, "algorithm.*.K=4")
    >>> data
    {'algorithm': [{'K': 4}, {'K': 4}]}
    """
    steps, text = split_override(override)
    value = parse_value(text.strip())
    check_whole_numbers({"value": value})
    # A list, as a * in the path selects several tables.
    targets: list[Any] = [data]
    for place in range(len(steps) - 1):
        targets = [inner for target in targets for inner in _step_into(target, steps, place)]
    last = steps[-1]
    for target in targets:
        if isinstance(target, dict):
            target[last.text] = value
        else:
            for index in _indices(target, steps, len(steps) - 1):
                target[index] = value


def _step_into(target: Any, steps: Sequence[Step], at: int) -> list[Any]:
    if isinstance(target, dict):
        return [target.setdefault(steps[at].text, {})]
    return [target[index] for index in _indices(target, steps, at)]


def _indices(target: Any, steps: Sequence[Step], at: int) -> list[int]:
    """The entries that a step into a list selects: by number, by name, or all by ``*``."""
    step = steps[at]
    if not isinstance(target, list):
        words = f"there is no place {shorten_repr(step.text)} inside {shorten_repr(target)}"
        raise KavgError(f"{words}; as in {_format_option(format_place(steps[:at]), target)}")
    if step == Step("*"):
        return list(range(len(target)))
    is_number = step.text.isascii() and step.text.isdecimal() and not step.is_quoted
    if is_number and int(step.text) < len(target):
        return [int(step.text)]
    names = [t.get("name") if isinstance(t, dict) else None for t in target]
    selected = [i for i, name in enumerate(names) if name == step.text]
    if selected:
        return selected
    raise KavgError(
        f"there is no entry {shorten_repr(step.text)}; use a number below {len(target)}, "
        f"the entry's name, or * for all{_suggest_entry(names, steps, at)}"
    )


def _suggest_entry(names: Sequence[object], steps: Sequence[Step], at: int) -> str:
    """An example with the name that was meant, in quotes if it needs them."""
    texts = [name for name in names if isinstance(name, str) and name.isprintable()]
    wanted = steps[at].text[:100]
    meant = [name for name in texts if name.startswith(wanted)]
    meant += difflib.get_close_matches(wanted, texts, n=1) + texts
    if not meant:
        return ""
    place = f"{format_place(steps[:at])}{format_selector(meant[0])}.K"
    return f", as in {_format_option(place, SAMPLES['K'])}"


def _format_option(place: str, value: object) -> str:
    """The words of a command line that set a value."""
    return f"--set {shlex.quote(f'{place}={format_value(value)}')}"
