"""What a faulty variant of the program is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

Planted = AbstractContextManager[object]
A_SLIP: Final = "no thread"
"""The source of a slip that the conventions invite."""


@dataclass(frozen=True)
class Variant:
    name: str
    words: str
    source: str
    plant: Callable[[], Planted]
