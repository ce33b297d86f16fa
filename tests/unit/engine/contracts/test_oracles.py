"""Oracles of users: gradients that are written, with draws that follow from their address."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.user_code import Bowl, run

import kavg
from kavg.oracles.additive import additive_constants


class Plan:
    """Noise addressed by seed, learner, replica and step, as a user writes it."""

    addressed = True

    def constants(self, objective):
        return additive_constants(1.0, 1, "normal noise")

    def plan(self, objective, *, seed, P, R, tile, dtype="float64"):
        plan = type(self)()
        plan.objective, plan.seed, plan.R, plan.tile = objective, seed, R, tile
        plan.dim, plan.generator = objective.dim, np.random.default_rng(seed)
        return plan

    def select(self, learners):
        self.learners = learners

    def __call__(self, x, step, out):
        self.objective.grad(x, out)
        out += self.noise(x, step)

    def noise(self, x, step):
        drawn = [
            [
                np.random.default_rng([self.seed, j, r, step]).normal(size=self.dim)
                for r in range(self.R)
            ]
            for j in self.learners
        ]
        return np.array(drawn)


class ANewArray(Plan):
    def __call__(self, x, step, out):
        return x + self.noise(x, step)


class InPart(Plan):
    def __call__(self, x, step, out):
        out[:, :, 1:] = x[:, :, 1:] + self.noise(x, step)[:, :, 1:]


class WritesToX(Plan):
    def __call__(self, x, step, out):
        x += self.noise(x, step)
        out[...] = x


class InSequence(Plan):
    def noise(self, x, step):
        return self.generator.normal(size=x.shape)


class GlobalNoise(Plan):
    def noise(self, x, step):
        return np.random.normal(size=x.shape)  # noqa: NPY002


class Unseeded(Plan):
    def plan(self, objective, **sizes):
        return super().plan(
            objective, **sizes | {"seed": int(np.random.default_rng().integers(2**40))}
        )


class OfThePlaceInTheTile(Plan):
    def noise(self, x, step):
        return np.random.default_rng([self.seed, step]).normal(size=x.shape)


class OfTheSizeOfTheTile(Plan):
    def noise(self, x, step):
        shape = (1000, self.R * self.tile, self.dim)
        return np.random.default_rng([self.seed, step]).normal(size=shape)[self.learners, : self.R]


class OfTheReplicas(Plan):
    def noise(self, x, step):
        drawn = [
            np.random.default_rng([self.seed, j, step]).normal(size=(self.dim, self.R)).T
            for j in self.learners
        ]
        return np.array(drawn)


class CoupledByANorm(Plan):
    def __call__(self, x, step, out):
        out[...] = x * (1 + self.noise(x, step) / np.linalg.norm(x))


class WithoutSelect(Plan):
    select = None


class AFunction(Plan):
    def plan(self, objective, **sizes):
        return lambda x, step, out: objective.grad(x, out)


WRONG = {
    ANewArray: "the oracle ANewArray must write to out, got a new array",
    InPart: "left as they were",
    WritesToX: "WritesToX.__call__ .* must not write to the arrays",
    InSequence: "got other numbers when it was called again",
    GlobalNoise: "got other numbers when it was called again",
    Unseeded: "got other numbers for a learner in a plan of its own",
    OfThePlaceInTheTile: "got other numbers for a learner when it was alone in its tile",
    OfTheSizeOfTheTile: "in a plan of its own",
    OfTheReplicas: "in a plan of its own",
    CoupledByANorm: "got other numbers for a learner",
    WithoutSelect: r"must plan an object with select\(learners\)",
    AFunction: r"must plan an object with select\(learners\).*got function",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_oracle_is_refused_before_the_first_step(wrong):
    with pytest.raises(kavg.KavgError, match=WRONG[wrong]):
        run(oracle=wrong())


def test_draws_that_follow_from_their_address_pass_and_tiles_change_nothing():
    whole = run(oracle=Plan(), P=5)
    assert np.array_equal(run(oracle=Plan(), P=5, tile=2).w, whole.w)


def test_an_oracle_may_say_that_its_draws_have_no_address():
    class Meant(InSequence):
        addressed = False

    assert np.isfinite(run(oracle=Meant()).w).all()

    class InPartToo(InPart):
        addressed = False

    with pytest.raises(kavg.KavgError, match="left as they were"):
        run(oracle=InPartToo())


class LastBits(Plan):
    def __call__(self, x, step, out):
        out[...] = x * (1.0 + self.R * 2.0**-52)


def test_last_bits_that_depend_on_the_plan_are_a_warning():
    with pytest.warns(UserWarning, match="the last bits of the oracle LastBits"):
        run(oracle=LastBits(), replicas=3)


@pytest.mark.parametrize("P", [1, 2, 5])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_size_of_a_run_is_checked(P, dtype):
    run(Bowl(), Plan(), P=P, dtype=dtype)
    with pytest.raises(kavg.KavgError):
        run(Bowl(), InSequence(), P=P, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("wrong", [OfThePlaceInTheTile, OfTheReplicas, CoupledByANorm])
def test_a_wrong_oracle_is_refused_where_the_gradient_vanishes(wrong, dtype):
    with pytest.raises(kavg.KavgError, match="got other numbers"):
        run(oracle=wrong(), start=0.0, dtype=dtype)
