"""What a settings file can name, in words: ``kavg list``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

from kavg import objectives
from kavg.base import Constant
from kavg.config.kinds import FAMILIES, field_default, to_plain
from kavg.errors import KavgError
from kavg.objectives.instances import small_settings
from kavg.reports.text import wrap_text

WIDTH: Final = 78


def catalogue(what: str = "all") -> str:
    """One section, or all of them.

    >>> print(catalogue("starts"))
    starts
    <BLANKLINE>
      normal(scale=1.0, mean=0.0)
        w_1 ~ N(mean, scale^2) in each coordinate, drawn anew for each replica.
    """
    if what != "all" and what not in FAMILIES:
        raise KavgError(f"there is no list of {what!r}; use all, {', '.join(FAMILIES)}")
    chosen = FAMILIES if what == "all" else {what: FAMILIES[what]}
    return "\n\n".join(
        "\n\n".join([section, *(entry(kind, cls) for kind, cls in kinds.items())])
        for section, kinds in chosen.items()
    )


def entry(kind: str, cls: type) -> str:
    """One kind: how it is called, what it is, and its constants if it is an objective."""
    first = (cls.__doc__ or "").strip().split("\n\n")[0].replace("``", "")
    words = " ".join(first.split())
    lines = wrap_text(f"{kind}({signature(cls)})", WIDTH, indent=2, hanging=2)
    lines += wrap_text(words, WIDTH, indent=4)
    if cls in objectives.KINDS.values():
        lines += constants(cls)
    return "\n".join(lines)


def signature(cls: type) -> str:
    """The keys of its table; those without a default stand alone."""
    keys = []
    for field in dataclasses.fields(cls):
        default = field_default(field)
        keys.append(field.name if default is ... else f"{field.name}={to_plain(default)!r}")
    return ", ".join(keys)


def constants(cls: type) -> Iterator[str]:
    """L, f_star and, where known, the Polyak-Lojasiewicz constant, of a small instance."""
    settings = small_settings(cls)
    objective = cls(**settings)
    sample = ", ".join(f"{key}={to_plain(value)!r}" for key, value in settings.items())
    yield from wrap_text(f"with {sample}:" if sample else "constants:", WIDTH, 4, hanging=2)
    for name in ("L", "f_star", "pl"):
        constant: Constant | None = getattr(objective, name, None)
        if constant is not None:
            words = f"{name} = {constant.value:.6g} ({constant.how}): {constant.source}"
            yield from wrap_text(words, WIDTH, indent=6, hanging=2)
