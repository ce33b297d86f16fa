"""Small instances: a value for a field without a default, within the range of its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
from annotated_types import Interval

from kavg.errors import KavgError
from kavg.objectives.instances import small_settings
from kavg.ranges import Count, Momentum, Positive, Seed


@dataclass(frozen=True)
class Ranges:
    count: Count
    pair: Annotated[int, Interval(ge=2)]
    mu: Momentum
    nu: Annotated[float, Interval(gt=2)]
    width: Positive
    seed: Seed | None
    scale: Positive = 7.0


def test_a_small_value_is_in_the_range_of_its_type() -> None:
    expected = {"count": 1, "pair": 2, "mu": 0.5, "nu": 3.0, "width": 1.0, "seed": 1}
    assert small_settings(Ranges) == expected


@dataclass(frozen=True)
class Far:
    distance: Annotated[float, Interval(ge=1000)]


@dataclass(frozen=True)
class Named:
    word: str


@pytest.mark.parametrize(("cls", "field"), [(Far, "distance"), (Named, "word")])
def test_a_field_without_a_small_value_is_named(cls: type, field: str) -> None:
    with pytest.raises(KavgError, match=rf"^{cls.__name__}\.{field} must have a default or a type"):
        small_settings(cls)
