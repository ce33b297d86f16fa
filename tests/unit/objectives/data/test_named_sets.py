"""Data sets by name: the same arrays everywhere, sensible without a word, errors that help."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kavg.objectives.data import digest_data
from kavg.objectives.data.data_file import NAMED
from kavg.objectives.data.readers import load_data

SETS = {
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast_cancer": (569, 30, 2),
    "diabetes": (442, 10, 214),
    "digits": (1797, 64, 10),
    "mnist1d": (5000, 40, 10),
}
"""Examples, features and distinct labels of each."""
DIGESTS: dict[str, str] = {}


def load(name: str) -> Any:
    pytest.importorskip("mnist1d" if name == "mnist1d" else "sklearn")
    return load_data(name)


@pytest.mark.parametrize("name", NAMED)
def test_sets_are_the_same_on_any_machine(name: str) -> None:
    data = load(name)
    n, p, labels = SETS[name]
    assert data.features.shape == (n, p)
    assert len(np.unique(data.labels)) == labels
    assert len(data.names) == p
    assert digest_data(data) == DIGESTS[name]
