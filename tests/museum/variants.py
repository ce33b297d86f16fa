"""Faulty variants of the program, each after a bug that somebody had.

A variant is a context manager: within it the engine has that one fault.  ``source`` names where the
fault was met, as ``owner/repository#thread``, or the code base whose source does it, or says that
there is no thread: a slip that the conventions invite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from unittest.mock import patch

import numpy as np
from helpers.exact import AnchoredLookAhead
from museum.aggregation_variants import AGGREGATION_VARIANTS
from museum.baseline_variants import BASELINE_VARIANTS
from museum.measure_variants import MEASURE_VARIANTS
from museum.optimizer_variants import OPTIMIZER_VARIANTS
from museum.participation_variants import PARTICIPATION_VARIANTS
from museum.variant import A_SLIP, Planted, Variant

import kavg
from kavg.engine.learners import Learners
from kavg.engine.local.local_steps import LocalSteps
from kavg.engine.means import MEANS, PlainMean
from kavg.oracles.additive import NoisyGradient
from kavg.oracles.streams import Streams
from kavg.outer import KINDS, BlockMomentum, NesterovMomentum

# --- ways to plant a fault


@contextmanager
def every_rule(prepare: Callable) -> Iterator[None]:
    """Before each outer step: ``prepare(rule, w, v, displacement, gamma)``."""

    def wrapped(step):
        def faulty(self, w, v, displacement, gamma):
            prepare(self, w, v, displacement, gamma)
            step(self, w, v, displacement, gamma)

        return faulty

    with ExitStack() as stack:
        for rule in KINDS.values():
            stack.enter_context(patch.object(rule, "step", wrapped(rule.step)))
        yield


@contextmanager
def replaced_in_each(places: list[str], function: Callable) -> Iterator[None]:
    """Another function in each of these places."""
    with ExitStack() as stack:
        for place in places:
            stack.enter_context(patch(place, function))
        yield


def after_the_mean(spoil: Callable) -> Planted:
    """Once the mean of a round is known: ``spoil(learners, gamma, n)``."""
    average = Learners.average

    def faulty(self, exponents, steps, *, again=False):
        done = average(self, exponents, steps, again=again)
        if done:
            spoil(self, steps.gamma, steps.n)
        return done

    return patch.object(Learners, "average", faulty)


def before_a_round(spoil: Callable) -> Planted:
    """``spoil(learners, state)`` gives the state that the round starts from."""
    round_ = Learners.round
    return patch.object(Learners, "round", lambda self, state: round_(self, spoil(self, state)))


def another_algorithm(spoil: Callable) -> Planted:
    """``spoil(algorithm)`` is what is run."""
    init = Learners.__init__

    def faulty(self, problem, algorithm, *rest):
        init(self, problem, spoil(algorithm), *rest)

    return patch.object(Learners, "__init__", faulty)


def steps_of_a_round(first_and_stop: Callable) -> Planted:
    """``first_and_stop(n, K)`` are the local steps that round n takes."""

    def faulty(self, learners, start, steps, *rest):
        x, g = self.x[: len(learners)], self.g[: len(learners)]
        self.gradient.select(learners)
        x[...] = start
        for step in range(*first_and_stop(steps.n, steps.K)):
            self.gradient(x, step, g)
            x -= steps.gamma * g
        moved = self.displacements[: len(x)]
        moved[..., :-1] = x - start
        return moved

    return patch.object(LocalSteps, "displacement", faulty)


def local_steps_of_a_round(find: Callable) -> Planted:
    """``find(algorithm, steps)`` is the number of local steps that a round takes."""
    begin = Learners.begin

    def faulty(self, state, n):
        w, v, steps = begin(self, state, n)
        return w, v, steps._replace(K=find(self.algorithm, steps))

    return patch.object(Learners, "begin", faulty)


def scale_of_the_noise(scale: Callable) -> Planted:
    """``scale(sigma2, B, d)`` is the deviation of one coordinate."""
    init = NoisyGradient.__init__

    def faulty(self, gradient, draws, sigma2, B, d):
        init(self, gradient, draws, sigma2, B, d)
        self.scale = scale(sigma2, B, d)

    return patch.object(NoisyGradient, "__init__", faulty)


# --- the mean


def sum_of_models() -> Planted:
    def spoil(self, gamma, n):
        P = self.algorithm.P
        self.mean.mean[...] = P * (self.mean.mean + self.start) - self.start

    return after_the_mean(spoil)


def missing_1_over_P() -> Planted:
    def spoil(self, gamma, n):
        self.mean.mean *= self.algorithm.P

    return after_the_mean(spoil)


@contextmanager
def with_one_learner(j: Callable, spoil: Callable) -> Iterator[None]:
    """``spoil(mean, own, P)`` the mean, given the displacement of learner ``j(P)``."""
    displacement, own = LocalSteps.displacement, {}

    def remember(self, learners, start, steps, *rest, **named):
        moved = displacement(self, learners, start, steps, *rest, **named)
        own.update(zip(learners, moved[..., :-1].copy(), strict=True))
        return moved

    def spoiled(self, gamma, n):
        P = self.algorithm.P
        spoil(self.mean.mean, own[j(P)], P)

    with patch.object(LocalSteps, "displacement", remember), after_the_mean(spoiled):
        yield


def learner_0_for_the_mean() -> Planted:
    def spoil(mean, own, P):
        mean[...] = own

    return with_one_learner(lambda P: 0, spoil)


def lost_learner() -> Planted:
    def spoil(mean, own, P):
        if P > 1:
            mean -= own / P

    return with_one_learner(lambda P: P - 1, spoil)


def stale_displacement() -> Planted:
    def spoil(self, gamma, n):
        fresh = self.mean.mean.copy()
        self.mean.mean[...] = getattr(self, "stale", 0.0)
        self.stale = fresh

    return after_the_mean(spoil)


@contextmanager
def order_of_addition() -> Iterator[None]:
    """Tile by tile, as a sum of sums."""

    def faulty(self, displacements, absent=None):
        x = displacements[..., :-1]
        np.vecdot(x, x, out=displacements[..., -1])
        before = 0.0 if self.empty else self.sums[:, :-1]
        self.sums[:, :-1] = before + np.add.reduce(displacements, axis=0)
        self.empty = False

    with patch.dict(MEANS, exact=PlainMean), patch.object(PlainMean, "fold", faulty):
        yield


# --- the outer rule


def sign_flip() -> Planted:
    def prepare(self, w, v, displacement, gamma):
        np.negative(displacement, out=displacement)

    return every_rule(prepare)


def momentum_not_carried() -> Planted:
    def prepare(self, w, v, displacement, gamma):
        v[...] = 0

    return every_rule(prepare)


def momentum_filtered() -> Planted:
    def prepare(self, w, v, displacement, gamma):
        displacement *= 1 - getattr(self, "mu", 0.0)

    return every_rule(prepare)


def gamma_twice() -> Planted:
    def prepare(self, w, v, displacement, gamma):
        displacement *= gamma

    return every_rule(prepare)


def displacement_in_place_of_momentum() -> Planted:
    def step(self, w, v, displacement, gamma):
        v *= self.mu
        v += displacement
        w += displacement

    return patch.object(BlockMomentum, "step", step)


@contextmanager
def look_ahead_kept_as_anchor() -> Iterator[None]:
    with (
        patch.object(NesterovMomentum, "start", AnchoredLookAhead.start),
        patch.object(NesterovMomentum, "step", AnchoredLookAhead.step),
    ):
        yield


def no_look_ahead() -> Planted:
    return patch.object(NesterovMomentum, "start", BlockMomentum.start)


def momentum_averaged_too() -> Planted:
    return before_a_round(lambda self, state: replace(state, v=state.v / self.algorithm.P))


def momentum_lost_on_resume() -> Planted:
    def spoil(self, state):
        resumed = state.n > 0 and not hasattr(self, "begun")
        self.begun = True
        return replace(state, v=np.zeros_like(state.v)) if resumed else state

    return before_a_round(spoil)


def power_of_the_momentum() -> Planted:
    def spoil(algorithm):
        if not hasattr(algorithm.outer, "mu"):
            return algorithm
        mu = algorithm.outer.mu ** (algorithm.P**2)
        return replace(algorithm, outer=replace(algorithm.outer, mu=mu))

    return another_algorithm(spoil)


def alpha_twice() -> Planted:
    def prepare(self, w, v, displacement, gamma):
        displacement *= getattr(self, "alpha", 1.0)

    return every_rule(prepare)


def alpha_left_out() -> Planted:
    def move(w, x, alpha, workspace):
        w += x

    modules = ("averaging", "block_momentum", "nesterov_momentum", "nesterov_look_ahead")
    return replaced_in_each([f"kavg.outer.{module}.move_along" for module in modules], move)


def never_restarted() -> Planted:
    return patch.object(kavg.Algorithm, "is_restart", lambda self, n: False)


def restarted_a_round_early() -> Planted:
    def faulty(self, n):
        return self.restart is not None and n % self.restart == 0

    return patch.object(kavg.Algorithm, "is_restart", faulty)


def skipped_at_one_learner() -> Planted:
    def spoil(algorithm):
        alone = algorithm.P == 1
        return replace(algorithm, outer=kavg.outer.Averaging()) if alone else algorithm

    return another_algorithm(spoil)


# --- the step size


@dataclass(frozen=True)
class OfGamma:
    """A rule that always hears the same gamma."""

    rule: kavg.outer.SlowMo
    gamma: float
    memory: bool = True

    def start(self, w, v, out):
        self.rule.start(w, v, out)

    def step(self, w, v, displacement, gamma):
        self.rule.step(w, v, displacement, self.gamma)


def base_gamma_in_slowmo() -> Planted:
    def spoil(algorithm):
        if not isinstance(algorithm.outer, kavg.outer.SlowMo):
            return algorithm
        return replace(algorithm, outer=OfGamma(algorithm.outer, algorithm.step_size(1)))

    return another_algorithm(spoil)


def gamma_of_the_round_before() -> Planted:
    def spoil(algorithm):
        return replace(algorithm, gamma=lambda n: algorithm.step_size(max(1, n - 1)))

    return another_algorithm(spoil)


# --- the blocks


def first_block_of_1() -> Planted:
    return steps_of_a_round(lambda n, K: (0, 1) if n == 1 else ((n - 2) * K + 1, (n - 1) * K + 1))


def first_block_of_K_plus_1() -> Planted:
    return steps_of_a_round(lambda n, K: (0, K + 1) if n == 1 else ((n - 1) * K + 1, n * K + 1))


def averaged_too_often() -> Planted:
    def first_and_stop(n, K):
        half = max(1, K // 2)
        return (n - 1) * half, n * half

    return steps_of_a_round(first_and_stop)


def short_block_after_a_warm_up() -> Planted:
    return local_steps_of_a_round(lambda _, steps: steps.K - steps.first % steps.K)


def warm_up_counted_in_steps() -> Planted:
    return local_steps_of_a_round(lambda each, steps: each.count_local_steps(steps.first + 1))


def period_of_the_round_before() -> Planted:
    return local_steps_of_a_round(lambda each, steps: each.count_local_steps(max(1, steps.n - 1)))


# --- the noise


def same_noise_on_all_learners() -> Planted:
    honest = Streams.hash

    def faulty(self, learners):
        return tuple(np.repeat(part, len(learners), axis=0) for part in honest(self, range(1)))

    return patch.object(Streams, "hash", faulty)


def noise_of_the_place_in_the_tile() -> Planted:
    select = Streams.select
    return patch.object(Streams, "select", lambda self, who: select(self, range(len(who))))


def noise_reused_each_round() -> Planted:
    return steps_of_a_round(lambda n, K: (0, K))


def unseeded() -> Planted:
    init, entropy = Streams.__init__, count(1)

    def faulty(self, *, seed, **settings):
        init(self, seed=seed + next(entropy), **settings)

    return patch.object(Streams, "__init__", faulty)


def variance_of_a_coordinate() -> Planted:
    return scale_of_the_noise(lambda sigma2, B, d: (sigma2 / B) ** 0.5)


def batch_forgotten() -> Planted:
    return scale_of_the_noise(lambda sigma2, B, d: (sigma2 / d) ** 0.5)


VARIANTS = (
    Variant(
        "sum of models",
        "the learners' models are added up and never divided by P",
        "meta-pytorch/torchft#286",
        sum_of_models,
    ),
    Variant(
        "missing 1/P",
        "the sum of the displacements in place of their mean",
        "CNTK, BlockMomentum",
        missing_1_over_P,
    ),
    Variant(
        "learner 0 for the mean",
        "all take learner 0's model; the work of the others is lost",
        "fairseq, BMUF warm-up",
        learner_0_for_the_mean,
    ),
    Variant(
        "lost learner",
        "one learner's displacement is dropped without a word, P stays",
        "Flower, accept_failures",
        lost_learner,
    ),
    Variant(
        "stale displacement",
        "a round applies the mean of the round before",
        "Lightning-AI/pytorch-lightning#9446",
        stale_displacement,
    ),
    Variant(
        "order of addition",
        "a plain floating-point sum, whose last bits depend on the order",
        "mpi4py/mpi4py#5",
        order_of_addition,
    ),
    Variant(
        "sign flip",
        "the pseudo-gradient with the wrong sign",
        "meta-pytorch/torchft#233",
        sign_flip,
    ),
    Variant(
        "momentum not carried",
        "v starts anew at each round",
        A_SLIP,
        momentum_not_carried,
    ),
    Variant(
        "momentum scaled by 1 - mu",
        "v = mu v + (1 - mu) d",
        "APPFL/APPFL#129",
        momentum_filtered,
    ),
    Variant(
        "displacement for momentum",
        "v is kept up to date, but the model moves by d",
        "flwrlabs/flower#893",
        displacement_in_place_of_momentum,
    ),
    Variant(
        "look-ahead kept as anchor",
        "Nesterov's look-ahead is never taken back: y moves by (1 + mu) v",
        "CNTK and fairseq, Nesterov",
        look_ahead_kept_as_anchor,
    ),
    Variant(
        "no look-ahead",
        "learners of Nesterov's rule start from w",
        "flwrlabs/flower#2246",
        no_look_ahead,
    ),
    Variant(
        "momentum averaged too",
        "v is divided by P along with the sum of the models",
        "pytorch/pytorch#59699",
        momentum_averaged_too,
    ),
    Variant(
        "momentum lost on resume",
        "a resumed run starts with v = 0",
        "meta-pytorch/torchft#277",
        momentum_lost_on_resume,
    ),
    Variant(
        "power of the momentum",
        "mu to the power P^2 in place of mu",
        "microsoft/CNTK#3313",
        power_of_the_momentum,
    ),
    Variant(
        "outer step applied twice",
        "the displacement is multiplied by alpha, and the move as well",
        A_SLIP,
        alpha_twice,
    ),
    Variant(
        "outer step left out",
        "the model moves by v whatever alpha is",
        A_SLIP,
        alpha_left_out,
    ),
    Variant(
        "memory not reset at a restart",
        "a restart changes nothing: v is carried on",
        "keras-team/keras#454",
        never_restarted,
    ),
    Variant(
        "restart a round early",
        "v is zero at the beginning of rounds restart, 2 restart, ...",
        A_SLIP,
        restarted_a_round_early,
    ),
    Variant(
        "skipped at P = 1",
        "no outer update when there is one learner",
        "fairseq BMUF, EXO Gym",
        skipped_at_one_learner,
    ),
    Variant(
        "gamma applied twice",
        "the displacement, which contains gamma, is multiplied by it again",
        "microsoft/CNTK#206",
        gamma_twice,
    ),
    Variant(
        "base gamma in SlowMo",
        "SlowMo divides by the first gamma, whatever the schedule says",
        "pytorch/torchdistx#36",
        base_gamma_in_slowmo,
    ),
    Variant(
        "gamma of the round before",
        "the schedule lags one round behind",
        "pytorch/torchtitan#4598",
        gamma_of_the_round_before,
    ),
    Variant(
        "first block of 1 step",
        "the counter is tested before it is increased",
        "PyTorch, PeriodicModelAverager",
        first_block_of_1,
    ),
    Variant(
        "first block of K + 1 steps",
        "step 0 is not counted",
        "torchdistx SlowMo, EXO Gym",
        first_block_of_K_plus_1,
    ),
    Variant(
        "averaged too often",
        "the averager is called twice a step: blocks of K/2",
        "pytorch/pytorch#74737",
        averaged_too_often,
    ),
    Variant(
        "short block after a warm-up",
        "averaged where the count of all steps is a multiple of K",
        "fairseq, BMUF warm-up",
        short_block_after_a_warm_up,
    ),
    Variant(
        "warm-up counted in steps",
        "a boundary in rounds is compared with the count of local steps",
        "pytorch/pytorch#73285",
        warm_up_counted_in_steps,
    ),
    Variant(
        "period of the round before",
        "K lags one round behind its schedule",
        A_SLIP,
        period_of_the_round_before,
    ),
    Variant(
        "same noise on all learners",
        "every learner draws the numbers of learner 0",
        "carpentries-incubator/hpc-intro#266",
        same_noise_on_all_learners,
    ),
    Variant(
        "noise of the place in the tile",
        "draws belong to a place in the tile, not to a learner",
        "glotzerlab/hoomd-blue#233",
        noise_of_the_place_in_the_tile,
    ),
    Variant(
        "noise reused each round",
        "the generator is put back at the start of each round",
        "NVIDIA/Megatron-LM#6858",
        noise_reused_each_round,
    ),
    Variant(
        "unseeded generator",
        "the seed is not what decides",
        "facebookresearch/FLSim#49",
        unseeded,
    ),
    Variant(
        "sigma2 per coordinate",
        "every coordinate has the variance that the whole vector should have",
        A_SLIP,
        variance_of_a_coordinate,
    ),
    Variant(
        "batch forgotten",
        "the noise of a batch of B is not divided by B",
        A_SLIP,
        batch_forgotten,
    ),
    *OPTIMIZER_VARIANTS,
    *BASELINE_VARIANTS,
    *AGGREGATION_VARIANTS,
    *PARTICIPATION_VARIANTS,
    *MEASURE_VARIANTS,
)
