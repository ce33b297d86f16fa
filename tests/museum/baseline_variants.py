"""Faulty variants of mini-batch SGD, whose gradients are accumulated."""

from __future__ import annotations

from unittest.mock import patch

from museum.variant import A_SLIP, Planted, Variant

from kavg.engine.local.local_steps import LocalSteps


def accumulated_where_it_moved() -> Planted:
    return patch.object(LocalSteps, "_choose_points", lambda self, learners, x, seen: seen)


def mean_of_the_accumulated() -> Planted:
    update = LocalSteps._update

    def faulty(self, learners, steps, displacements):
        honest = self.states.update

        def scaled(x, g, slots, gamma, age):
            g /= steps.K if self.held is not None else 1
            honest(x, g, slots, gamma, age)

        with patch.object(self.states, "update", scaled):
            update(self, learners, steps, displacements)

    return patch.object(LocalSteps, "_update", faulty)


BASELINE_VARIANTS = (
    Variant(
        "accumulated where it moved",
        "the gradients of a large batch are taken where its first ones have led",
        A_SLIP,
        accumulated_where_it_moved,
    ),
    Variant(
        "mean of the accumulated",
        "K gradients are averaged where the linear scaling rule adds them, or the other way round",
        "fastai/fastai#3023",
        mean_of_the_accumulated,
    ),
)
