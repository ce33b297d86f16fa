"""Faulty variants of groups, of subsets of the learners, and of learners with their own steps."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from museum.variant import A_SLIP, Planted, Variant

from kavg.aggregations import SampledLearners, own_steps
from kavg.engine.aggregation.group_means import GroupMeans
from kavg.engine.aggregation.learner_tiles import LearnerTiles


def averaged_over_all() -> Planted:
    return patch.object(SampledLearners, "count_terms", lambda self, P: P)


def mean_of_group_means() -> Planted:
    honest = LearnerTiles.displace

    def faulty(self, learners, start, steps, place):
        displacements = honest(self, learners, start, steps, place)
        means = self.local.starts
        if isinstance(means, GroupMeans):
            first, P = self.own.start, sum(means.sizes)
            for row, j in zip(displacements, learners, strict=True):
                size = means.groups[means.places[j - first]].size
                row[..., :-1] *= P / (len(means.sizes) * size)
        return displacements

    return patch.object(LearnerTiles, "displace", faulty)


def steps_not_normalised() -> Planted:
    honest = own_steps.share_steps

    def faulty(own, total, P, weights):
        return honest(own, total, P, "plain")

    return patch.object(own_steps, "share_steps", faulty)


def weights_of_all() -> Planted:
    def faulty(self, chosen, weights):
        return (weights * len(weights) / np.sum(weights))[:, None]

    return patch.object(SampledLearners, "_factors", faulty)


PARTICIPATION_VARIANTS = (
    Variant(
        "participants divided by P",
        "the displacements of those who took part are divided by the number of all",
        A_SLIP,
        averaged_over_all,
    ),
    Variant(
        "mean of group means",
        "groups of unequal size count alike in the mean of all",
        A_SLIP,
        mean_of_group_means,
    ),
    Variant(
        "steps not normalised",
        "learners that took more steps count for more, though FedNova's weights were asked for",
        A_SLIP,
        steps_not_normalised,
    ),
    Variant(
        "weights over all",
        "weights are divided by their sum over all learners, and not over those who took part",
        A_SLIP,
        weights_of_all,
    ),
)
