"""What a run records of its local optimizer, its aggregation and its measures: a text of each."""

from __future__ import annotations

import hashlib
from dataclasses import MISSING, fields, is_dataclass
from typing import Final

LENGTH: Final = 200
"""Characters of a text; of a longer one, such as of a mixing matrix, the beginning and a digest."""


def describe_part(part: object) -> str:
    """Return the kind of a part of a method, with those of its numbers that are not the default.

    A class of a user is called by its own name, and only a dataclass has numbers.

    >>> from kavg.optimizers import SGD, HeavyBall
    >>> describe_part(HeavyBall(0.9, at_average="kept")), describe_part(SGD())
    ("heavy_ball(beta=0.9, at_average='kept')", 'sgd')
    """
    cls = type(part)
    # A class that derives from one of kavg inherits its kind, and is another part.
    kind = vars(cls).get("kind")
    name = kind if isinstance(kind, str) else cls.__name__
    # Without defaults, so that a number that is added later does not make older runs others.
    given = [
        f"{each.name}={value!r}"
        for each in (fields(part) if is_dataclass(part) else ())
        for value in [getattr(part, each.name)]
        if each.default is MISSING or value != each.default
    ]
    return shorten_text(f"{name}({', '.join(given)})" if given else name)


def shorten_text(text: str) -> str:
    """Return a text, of which a digest is at the end if it is too long."""
    if len(text) <= LENGTH:
        return text
    digest = hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
    return f"{text[: LENGTH - 20]}... #{digest[:12]}"


def describe_parts(optimizer: object, aggregation: object) -> dict[str, str]:
    """Return what a run records of its method beside the outer rule, a text of each part."""
    return {"optimizer": describe_part(optimizer), "aggregation": describe_part(aggregation)}
