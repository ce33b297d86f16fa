"""Faulty variants of gossip, elastic averaging and asynchronous SGD."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from museum.variant import A_SLIP, Planted, Variant

from kavg.aggregations import ElasticAveraging, Gossip, StaleGradients, gossip
from kavg.engine.learners import Learners
from kavg.engine.local.learner_states import LearnerStates


def rows_alone() -> Planted:
    return patch.object(gossip, "_check_doubly_stochastic", lambda matrix: None)


def transposed_matrix() -> Planted:
    honest = Gossip.list_weights

    def faulty(self, j, P):
        columns = [dict(honest(self, i, P)) for i in range(P)]
        return [(i, column[j]) for i, column in enumerate(columns) if j in column]

    return patch.object(Gossip, "list_weights", faulty)


@contextmanager
def pull_to_the_new_centre() -> Iterator[None]:
    round_ = Learners.round

    def faulty(self, state):
        after = round_(self, state)
        law = self.algorithm.aggregation
        if isinstance(law, ElasticAveraging):
            x = after.state.slots[:, -1]
            pulled = x - law.alpha * (x - after.w)
            after.state.slots.setflags(write=True)
            x = after.state.slots[:, -1]
            x[...] = pulled
        return after

    with (
        patch.object(ElasticAveraging, "release", lambda self, x, w: None),
        patch.object(Learners, "round", faulty),
    ):
        yield


def staleness_from_the_round() -> Planted:
    honest = StaleGradients.draw_staleness

    def faulty(self, seed, n, R, P):
        return honest(self, seed, n, R, P) + np.arange(P)

    return patch.object(StaleGradients, "draw_staleness", faulty)


def gradient_after_the_pull() -> Planted:
    return patch.object(LearnerStates, "place_last", lambda self, learners, x: None)


AGGREGATION_VARIANTS = (
    Variant(
        "rows alone sum to 1",
        "a mixing matrix that is not doubly stochastic moves the mean of the learners",
        "epfml/ChocoSGD#9",
        rows_alone,
    ),
    Variant(
        "matrix transposed",
        "learner j adds up with the weights that others give to it",
        A_SLIP,
        transposed_matrix,
    ),
    Variant(
        "pull to the new centre",
        "elastic averaging moves the centre first, and pulls the learners to where it is then",
        A_SLIP,
        pull_to_the_new_centre,
    ),
    Variant(
        "gradient after the pull",
        "the published elastic averaging takes the first gradient where a learner is pulled to",
        A_SLIP,
        gradient_after_the_pull,
    ),
    Variant(
        "staleness from the round",
        "an update is as old as it should be, counted from the first of its round",
        A_SLIP,
        staleness_from_the_round,
    ),
)
