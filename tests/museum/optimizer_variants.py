"""Faulty variants of the local optimizers, and of what becomes of their state at the average."""

from __future__ import annotations

from unittest.mock import patch

from museum.variant import A_SLIP, Planted, Variant

from kavg.engine.local.learner_states import LearnerStates
from kavg.engine.local.local_steps import LocalSteps
from kavg.optimizers import Adam, AdamW


def bias_correction_restarts() -> Planted:
    update = LocalSteps._update

    def faulty(self, learners, steps, displacements):
        honest = self.states.update

        def restarted(x, g, slots, gamma, age):
            honest(x, g, slots, gamma, (age - 1) % steps.K + 1)

        with patch.object(self.states, "update", restarted):
            update(self, learners, steps, displacements)

    return patch.object(LocalSteps, "_update", faulty)


def decay_in_the_gradient() -> Planted:
    def faulty(self, tile, R, d, dtype):
        numbers = {name: getattr(self, name) for name in Adam.__dataclass_fields__}
        return Adam(**numbers).plan(tile, R, d, dtype)

    return patch.object(AdamW, "plan", faulty)


def state_silently_kept() -> Planted:
    load = LearnerStates.load

    def faulty(self, learners):
        goes_on = self.at_average == "reset" and hasattr(self, "loaded")
        self.loaded = True
        return self.slots[:, : len(learners)] if goes_on else load(self, learners)

    return patch.object(LearnerStates, "load", faulty)


OPTIMIZER_VARIANTS = (
    Variant(
        "bias correction restarts",
        "Adam's count is back at 1 after each average, while its means are kept",
        A_SLIP,
        bias_correction_restarts,
    ),
    Variant(
        "decay in the gradient",
        "AdamW adds its weight decay to the gradient, as L2 regularisation",
        A_SLIP,
        decay_in_the_gradient,
    ),
    Variant(
        "state silently kept",
        "learners go on with the local momentum that was to be reset",
        "ORNL/HydraGNN#538",
        state_silently_kept,
    ),
)
