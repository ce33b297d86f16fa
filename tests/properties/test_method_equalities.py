"""Methods that are the same in a special case: to the last bit, or up to rounding.

The column "equals" of the first table of docs/methods.md, and more of its kind.
"""

from inspect import signature

import numpy as np
import pytest
from helpers.methods import P, method

import kavg
from kavg import aggregations, optimizers, outer, periods

PLAIN = method()
TO_THE_BIT = {
    "M-AVG at mu = 0": (method(outer.BlockMomentum(0.0)), PLAIN),
    "Nesterov at mu = 0": (method(outer.NesterovMomentum(0.0)), PLAIN),
    "look-ahead at mu = 0": (method(outer.NesterovLookAhead(0.0)), PLAIN),
    "QHM at nu = 0": (method(outer.QuasiHyperbolic(0.9, 0.0, 0.7)), method(outer.Averaging(0.7))),
    "QHM at nu = 1": (
        method(outer.QuasiHyperbolic(0.75, 1.0, 0.7)),
        method(outer.BlockMomentum(0.75, 0.7 * (1 - 0.75))),
    ),
    "restart every round": (method(outer.BlockMomentum(0.5), restart=1), PLAIN),
    "heavy ball at beta = 0": (method(optimizer=optimizers.HeavyBall(0.0, "kept")), PLAIN),
    "heavy ball that is reset, of one step": (
        method(K=1, optimizer=optimizers.HeavyBall(0.7)),
        method(K=1),
    ),
    "averaged slots of one learner": (
        method(P=1, optimizer=optimizers.Adam(at_average="averaged")),
        method(P=1, optimizer=optimizers.Adam(at_average="kept")),
    ),
    "a control that stays at K = 3": (method(K=periods.DispersionControl(1e9, 3, 3)), PLAIN),
    "a warm-up": (
        method(K=periods.WarmUpPeriod(2, then=3)),
        method(K=periods.PiecewisePeriod((1, 3), (2,))),
    ),
    "restart after the last round": (
        method(outer.FedAdam(0.1), restart=6),
        method(outer.FedAdam(0.1)),
    ),
    "Nesterov steps at beta = 0": (method(optimizer=optimizers.NesterovSteps(0.0)), PLAIN),
    "AdamW without decay": (
        method(optimizer=optimizers.AdamW(weight_decay=0.0)),
        method(optimizer=optimizers.Adam()),
    ),
    "mini-batch SGD of one gradient": (
        method(K=1, optimizer=optimizers.Accumulation()),
        method(K=1),
    ),
    "QSR at a constant step": (
        method(K=periods.QuadraticSynchronization(alpha=0.01, least=3)),
        PLAIN,
    ),
    "piecewise with one K": (method(K=periods.PiecewisePeriod((3, 3), (2,))), PLAIN),
    "groups with K1 = K": (
        method(aggregation=aggregations.GroupedLearners(K1=3, groups=(2, 3))),
        PLAIN,
    ),
    "groups of one": (method(aggregation=aggregations.GroupedLearners(K1=1, groups=P)), PLAIN),
    "all are sampled": (method(aggregation=aggregations.SampledLearners(m=P)), PLAIN),
    "own steps that are equal": (
        method(aggregation=aggregations.OwnSteps((3,) * P, "fednova")),
        PLAIN,
    ),
    "slow learners as fast as others": (
        method(aggregation=aggregations.Stragglers(slow=2, K_slow=3)),
        PLAIN,
    ),
    "elastic without a pull": (
        method(aggregation=aggregations.ElasticAveraging(0.0)),
        method(aggregation=aggregations.Gossip("identity")),
    ),
    "asynchronous, one learner, no staleness": (
        method(P=1, aggregation=aggregations.StaleGradients(mean=0)),
        method(P=1),
    ),
}
UP_TO_ROUNDING = {
    "SlowMo at a constant step": (method(outer.SlowMo(0.5)), method(outer.BlockMomentum(0.5))),
    "QHM at nu = mu": (
        method(outer.QuasiHyperbolic(0.5, 0.5)),
        method(outer.NesterovLookAhead(0.5, 0.5)),
    ),
    "SlowMo of one learner without momentum": (
        method(outer.SlowMo(0.0, alpha=0.5), P=1),
        kavg.methods.lookahead(P=1, K=3, gamma=0.05),
    ),
    "Nesterov steps that are reset, of one step": (
        method(K=1, optimizer=optimizers.NesterovSteps(0.7)),
        method(K=1, gamma=1.7 * 0.05),
    ),
    "gossip with all": (method(aggregation=aggregations.Gossip("complete")), PLAIN),
    "one group": (method(aggregation=aggregations.GroupedLearners(K1=1, groups=1)), method(K=1)),
}


def last_model(algorithm, rounds=6, dtype="float64"):
    problem = kavg.Problem(
        kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
    )
    run = kavg.simulate(problem, algorithm, rounds=rounds, replicas=2, seed=5, dtype=dtype)
    return run.w


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", TO_THE_BIT)
def test_two_methods_are_one_to_the_last_bit(name, dtype):
    one, other = TO_THE_BIT[name]
    np.testing.assert_array_equal(last_model(one, dtype=dtype), last_model(other, dtype=dtype))


@pytest.mark.parametrize("name", UP_TO_ROUNDING)
def test_two_methods_are_one_up_to_rounding(name):
    one, other = UP_TO_ROUNDING[name]
    # One group is averaged K times a round of the other, which has K = 1.
    rounds = 6 * (one.K // other.K)
    np.testing.assert_allclose(last_model(one), last_model(other, rounds), rtol=1e-12)


def test_the_anchored_form_starts_where_the_look_ahead_is():
    problem = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), 2.0)
    anchored, ahead = outer.NesterovMomentum(0.6, 0.7), outer.NesterovLookAhead(0.6, 0.7)
    runs = [kavg.simulate(problem, method(rule), rounds=6, seed=5) for rule in (anchored, ahead)]
    y = np.empty_like(runs[0].w)
    anchored.start(runs[0].w, runs[0].v, y)
    np.testing.assert_allclose(y, runs[1].w, rtol=1e-12)


SIZES = {"P": 1, "K": 8, "gamma": 0.05}
BY_NAME = {
    # What a paper names is written out here once more: its numbers, and not the defaults.
    "k_avg": {},
    "m_avg": {"outer": outer.BlockMomentum(mu=0.5, alpha=1.0)},
    "fedavg": {"outer": outer.Averaging(alpha=1.0)},
    "fedavgm": {"outer": outer.BlockMomentum(mu=0.9, alpha=1.0)},
    "fedadam": {"outer": outer.FedAdam(alpha=0.01, beta1=0.9, beta2=0.99, tau=1e-3)},
    "fedadagrad": {"outer": outer.FedAdagrad(alpha=0.1, beta1=0.0, tau=1e-3)},
    "slowmo": {"outer": outer.SlowMo(mu=0.7, alpha=1.0)},
    "lookahead": {"outer": outer.Averaging(alpha=0.5)},
    "diloco": {
        "outer": outer.NesterovLookAhead(mu=0.9, alpha=0.7),
        "optimizer": optimizers.AdamW(0.9, 0.999, 1e-8, weight_decay=0.1, at_average="kept"),
    },
    "post_local_sgd": {"K": periods.PiecewisePeriod((1, 8), (100,))},
    "hier_avg": {"aggregation": aggregations.GroupedLearners(K1=1, groups=1)},
    "easgd": {
        "outer": outer.Averaging(alpha=0.9),
        "aggregation": aggregations.ElasticAveraging(alpha=0.9, first_gradient="last"),
    },
    "eamsgd": {
        "outer": outer.Averaging(alpha=0.9),
        "optimizer": optimizers.NesterovSteps(beta=0.99, at_average="kept"),
        "aggregation": aggregations.ElasticAveraging(alpha=0.9, first_gradient="last"),
    },
    "minibatch_sgd": {"optimizer": optimizers.Accumulation()},
    "synchronous_sgd": {"K": 1},
    "single_learner": {"optimizer": optimizers.HeavyBall(beta=0.9, at_average="kept")},
}


@pytest.mark.parametrize("name", kavg.methods.METHODS)
def test_a_method_by_name_is_its_parts(name):
    made = kavg.methods.METHODS[name](**SIZES)
    assert made == kavg.Algorithm(**SIZES | {"outer": outer.Averaging()} | BY_NAME[name])


def test_the_pull_of_elastic_methods_is_divided_by_the_learners():
    for make in (kavg.methods.easgd, kavg.methods.eamsgd):
        assert make(P=4, K=8, gamma=0.05).aggregation.alpha == 0.9 / 4


GIVEN = {
    "m_avg": ({"mu": 0.3}, {"outer": outer.BlockMomentum(0.3)}),
    "fedavg": ({"alpha": 0.7}, {"outer": outer.Averaging(0.7)}),
    "fedavgm": ({"mu": 0.3, "alpha": 0.7}, {"outer": outer.BlockMomentum(0.3, 0.7)}),
    "fedadam": ({"alpha": 0.7}, {"outer": outer.FedAdam(0.7)}),
    "fedadagrad": ({"alpha": 0.7}, {"outer": outer.FedAdagrad(0.7)}),
    "slowmo": ({"mu": 0.3, "alpha": 0.4}, {"outer": outer.SlowMo(0.3, 0.4)}),
    "lookahead": ({"alpha": 0.7}, {"outer": outer.Averaging(0.7)}),
    "diloco": (
        {"mu": 0.3, "alpha": 0.4, "weight_decay": 0.2},
        {
            "outer": outer.NesterovLookAhead(0.3, 0.4),
            "optimizer": optimizers.AdamW(weight_decay=0.2, at_average="kept"),
        },
    ),
    "post_local_sgd": ({"switch": 7}, {"K": periods.PiecewisePeriod((1, 8), (7,))}),
    "hier_avg": (
        {"groups": 2, "K1": 4},
        {"aggregation": aggregations.GroupedLearners(K1=4, groups=2)},
    ),
    "easgd": (
        {"beta": 0.4},
        {
            "outer": outer.Averaging(0.4),
            "aggregation": aggregations.ElasticAveraging(0.1, first_gradient="last"),
        },
    ),
    "eamsgd": (
        {"beta": 0.4, "delta": 0.3},
        {
            "outer": outer.Averaging(0.4),
            "optimizer": optimizers.NesterovSteps(0.3, at_average="kept"),
            "aggregation": aggregations.ElasticAveraging(0.1, first_gradient="last"),
        },
    ),
    "minibatch_sgd": (
        {"mu": 0.3},
        {"outer": outer.BlockMomentum(0.3), "optimizer": optimizers.Accumulation()},
    ),
    "synchronous_sgd": ({"mu": 0.3}, {"K": 1, "outer": outer.BlockMomentum(0.3)}),
    "single_learner": ({"beta": 0.3}, {"optimizer": optimizers.HeavyBall(0.3, "kept")}),
}
ALONE = ("lookahead", "single_learner")


@pytest.mark.parametrize("name", kavg.methods.METHODS)
def test_a_method_by_name_takes_its_numbers(name):
    """Of four learners, and none of the numbers is a default."""
    make = kavg.methods.METHODS[name]
    numbers, parts = GIVEN.get(name, ({}, {}))
    keywords = [
        each for each in signature(make).parameters.values() if each.kind == each.KEYWORD_ONLY
    ]
    assert {each.name for each in keywords} == set(numbers)
    assert all(each.default != numbers[each.name] for each in keywords)
    sizes = SIZES | {"P": 1 if name in ALONE else 4}
    plain = {"outer": outer.Averaging()}
    assert make(**sizes, **numbers) == kavg.Algorithm(**sizes | plain | parts)
