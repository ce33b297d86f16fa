"""The contract of aggregations whose learners keep iterates, mix them, or update in turn."""

from __future__ import annotations

from math import fsum

import numpy as np
import pytest

from kavg import aggregations
from kavg.base import Asynchronous, KeepsIterates, MixesIterates
from kavg.objectives.instances import small_settings

KINDS = {kind: cls(**small_settings(cls)) for kind, cls in aggregations.KINDS.items()}
SIZES = (1, 2, 3, 8)


def those_of(protocol):
    return pytest.mark.parametrize(
        "kind", [kind for kind, part in KINDS.items() if isinstance(part, protocol)]
    )


def test_every_protocol_has_kinds():
    for protocol, kinds in (
        (KeepsIterates, {"elastic", "gossip"}),
        (MixesIterates, {"gossip"}),
        (Asynchronous, {"stale_gradients"}),
    ):
        assert {kind for kind, part in KINDS.items() if isinstance(part, protocol)} >= kinds


@those_of(KeepsIterates)
def test_a_release_writes_in_place_and_each_learner_by_itself(kind):
    x, w = np.random.default_rng(1).normal(size=(3, 2, 4)), np.ones((2, 4))
    alone, kept = x[1:2].copy(), w.copy()
    assert KINDS[kind].release(x, w) is None
    KINDS[kind].release(alone, w)
    assert np.array_equal(x[1:2], alone)
    assert np.array_equal(w, kept)


@those_of(MixesIterates)
@pytest.mark.parametrize("P", SIZES)
def test_weights_are_doubly_stochastic_and_their_learners_rise(kind, P):
    rows = [KINDS[kind].list_weights(j, P) for j in range(P)]
    for row in rows:
        who = [i for i, _ in row]
        assert who == sorted(set(who))
        assert set(who) <= set(range(P))
        assert abs(fsum(weight for _, weight in row) - 1) < 1e-12
    for i in range(P):
        assert abs(fsum(dict(row).get(i, 0.0) for row in rows) - 1) < 1e-12


@those_of(Asynchronous)
@pytest.mark.parametrize("P", SIZES)
def test_a_staleness_is_within_what_is_kept_and_replicas_are_a_prefix(kind, P):
    part = KINDS[kind]
    drawn = part.draw_staleness(5, 2, 6, P)
    assert drawn.shape == (6, P)
    assert drawn.dtype.kind == "i"
    assert drawn.min() >= 0
    assert drawn.max() <= part.count_past(P)
    assert np.array_equal(part.draw_staleness(5, 2, 3, P), drawn[:3])
    assert part.count_past(1) == 0
