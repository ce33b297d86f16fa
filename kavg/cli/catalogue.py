"""The catalogue of kinds and methods that a settings file can name, with keys and constants."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from inspect import signature
from itertools import starmap
from typing import Final

from kavg import objectives, oracles
from kavg.base import Constant
from kavg.config.kinds import FAMILIES, field_default, to_plain
from kavg.errors import KavgError
from kavg.methods import METHODS
from kavg.objectives.instances import small_settings
from kavg.portability import find_same_bits
from kavg.reports.text import wrap_text

WIDTH: Final = 78
"""Columns of the list."""


def list_kinds(section: str = "all") -> str:
    """Format one section of the list, or all of them.

    An objective is listed with the constants of a small instance and their sources, and both
    objectives and oracles with the machines on which they have the same bits.  Raises ``KavgError``
    for an unknown section.

    >>> print(list_kinds("starts"))
    starts
    <BLANKLINE>
      normal(scale=1.0, mean=0.0)
        w_1 ~ N(mean, scale^2), independently in each coordinate and replica.
    """
    known = (*FAMILIES, "methods")
    if section != "all" and section not in known:
        raise KavgError(f"there is no list of {section!r}; use all, {', '.join(known)}")
    return "\n\n".join(map(_format_section, known if section == "all" else (section,)))


def _format_section(name: str) -> str:
    if name == "methods":
        return "\n\n".join([name, *map(_format_method, METHODS)])
    return "\n\n".join([name, *starmap(_format_kind, FAMILIES[name].items())])


def _format_method(name: str) -> str:
    """One method: the function of Python with its numbers, and the first paragraph about it."""
    make = METHODS[name]
    keys = [
        one.name if one.default is one.empty else f"{one.name}={one.default!r}"
        for one in signature(make).parameters.values()
    ]
    lines = wrap_text(f"{name}({', '.join(keys)})", WIDTH, indent=2, hanging=2)
    return "\n".join([*lines, *_wrap_first_paragraph(make)])


def _format_kind(kind: str, cls: type) -> str:
    """One kind: its keys, the first paragraph of its docstring, constants, and where bits are."""
    lines = wrap_text(f"{kind}({_format_signature(cls)})", WIDTH, indent=2, hanging=2)
    lines += _wrap_first_paragraph(cls)
    if cls in objectives.KINDS.values():
        lines += _format_constants(cls)
    if cls in (*objectives.KINDS.values(), *oracles.KINDS.values()):
        lines.append(f"    same bits: {_describe_same_bits(cls)}")
    return "\n".join(lines)


def _wrap_first_paragraph(part: object) -> list[str]:
    first = (part.__doc__ or "").strip().split("\n\n")[0].replace("``", "")
    return [*wrap_text(" ".join(first.split()), WIDTH, indent=4)]


def _describe_same_bits(cls: type) -> str:
    # Its draws are the same anywhere, but the gradients of its batches are the objective's.
    is_batch = cls is oracles.MiniBatch
    return "as the objective's" if is_batch else find_same_bits(cls(**small_settings(cls)))


def _format_signature(cls: type) -> str:
    """The keys of a kind, with their defaults."""
    keys = []
    for field in dataclasses.fields(cls):
        default = field_default(field)
        keys.append(field.name if default is ... else f"{field.name}={to_plain(default)!r}")
    return ", ".join(keys)


def _format_constants(cls: type) -> Iterator[str]:
    """L, f_star and, where known, the Polyak-Lojasiewicz constant, of a small instance."""
    settings = small_settings(cls)
    objective = cls(**settings)
    sample = ", ".join(f"{key}={to_plain(value)!r}" for key, value in settings.items())
    yield from wrap_text(f"with {sample}:" if sample else "constants:", WIDTH, 4, hanging=2)
    for name in ("L", "f_star", "pl"):
        constant: Constant | None = getattr(objective, name, None)
        if constant is not None:
            line = f"{name} = {constant.value:.6g} ({constant.how}): {constant.source}"
            yield from wrap_text(line, WIDTH, indent=6, hanging=2)
