"""Each measure of rounds against numbers worked out by hand, and its errors."""

import numpy as np
import pytest

import kavg
from kavg import aggregations, measures, objectives, oracles, outer
from kavg.errors import KavgError
from kavg.measures.effective_step import outer_gain


def run(objective, record, *, rule=None, start=0.0, rounds=3, P=2, K=1, gamma=1.0, **options):
    problem = kavg.Problem(objective, options.pop("oracle", oracles.Noiseless()), start)
    parts = {"aggregation": options.pop("aggregation", aggregations.AllLearners())}
    method = kavg.Algorithm(P, K, gamma, rule or outer.Averaging(), **parts)
    return kavg.simulate(problem, method, rounds=rounds, record=record, **options)


# --- alignment


def test_products_of_displacements_on_the_hand_path():
    # F' = 1, gamma = 1, K = 3, mu = 1/2: every displacement is -3, and w goes 0, -3, -7.5, -12.75.
    found = run(objectives.Linear(dim=1), ["alignment"], rule=outer.BlockMomentum(0.5), K=3)
    nan = np.nan
    expected = {
        "displacement_norm2": [nan, 9, 9, 9],
        "lag_product": [nan, nan, 9, 9],
        "move_product": [nan, 9, 13.5, 15.75],
        "lag_correlation": [nan, nan, 1, 1],
        "aligned_gain": [nan, 1, 1.5, 1.75],
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(found.series[name][:, 0], values, err_msg=name)


def test_displacements_that_turn_have_a_negative_correlation():
    # F = 3 w^2 / 4 and gamma = 1 take w from 4 to -2, 1, -1/2: displacements -6, 3, -3/2.
    found = run(objectives.Quadratic((1.5,)), ["alignment"], start=4.0)
    np.testing.assert_array_equal(found.displacement_norm2[1:, 0], [36, 9, 2.25])
    np.testing.assert_array_equal(found.lag_product[2:, 0], [-18, -4.5])
    np.testing.assert_array_equal(found.lag_correlation[2:, 0], [-1, -1])
    np.testing.assert_array_equal(found.aligned_gain[1:, 0], [1, 1, 1])


def test_momentum_gains_less_where_displacements_turn():
    # The same bowl with mu = 1/2: d = -6; then w = -2, v = -6, d = 3, v = 0.
    rule = outer.BlockMomentum(0.5)
    found = run(objectives.Quadratic((1.5,)), ["alignment"], rule=rule, start=4.0)
    np.testing.assert_array_equal(found.aligned_gain[1:3, 0], [1, 0])


def test_a_round_that_does_not_move_has_no_correlation():
    found = run(objectives.Quadratic((1.0,)), ["alignment"], start=0.0, rounds=2)
    np.testing.assert_array_equal(found.displacement_norm2[1:, 0], [0, 0])
    assert np.isnan(found.lag_correlation).all()
    assert np.isnan(found.aligned_gain).all()


# --- spread


def test_directions_part_the_dispersion():
    noise = oracles.Gaussian(sigma2=1.0)
    every = measures.Spread(directions=(0, 1, 2))
    found = run(objectives.Cosine(dim=3), [every], oracle=noise, P=5, gamma=0.1, replicas=3)
    parts = sum(found.series[name] for name in every.names)
    np.testing.assert_allclose(parts[1:], found.dispersion[1:], rtol=1e-12)
    assert np.isnan(parts[0]).all()


def test_shifted_learners_spread_along_their_shift():
    # b = +-1 in one dimension and F = 0: x_j = -+gamma K, of mean 0.
    flat = objectives.Linear(dim=1, slope=0.0)
    found = run(flat, ["spread"], oracle=oracles.Shifted(zeta2=1.0), K=2, gamma=0.5)
    np.testing.assert_array_equal(found.spread_0[1:, 0], [1, 1, 1])


def test_a_vector_has_any_length():
    noise = oracles.Gaussian(sigma2=1.0)
    options = {"oracle": noise, "P": 3, "gamma": 0.1}
    axis = run(objectives.Cosine(dim=2), [measures.Spread(directions=(1,))], **options)
    for length in (1.0, 3.0, 1e200, 1e-200):
        along = run(objectives.Cosine(dim=2), [measures.Spread(vector=(0.0, length))], **options)
        np.testing.assert_array_equal(along.spread[1:], axis.spread_1[1:])


def test_a_vector_becomes_a_direction_of_length_1():
    columns = measures.Spread(vector=(3.0, -4.0)).find_directions(objectives.Cosine(dim=2))
    np.testing.assert_allclose(columns, [[0.6], [-0.8]], rtol=1e-15)


def test_directions_of_a_rotated_quadratic_are_its_eigenvectors():
    bowl = objectives.Quadratic((1.0, 4.0, 9.0), rotation_seed=3)
    columns = measures.Spread(directions=(2, 0)).find_directions(bowl)
    np.testing.assert_array_equal(columns, bowl.rotation[:, [2, 0]])


def test_learners_that_are_alike_have_no_spread():
    found = run(objectives.Cosine(dim=2), ["spread"], start=2.0, P=3, K=2, gamma=0.1)
    np.testing.assert_array_equal(found.spread_0[1:], 0.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"directions": (0, 3)}, "must be below 3, the number of coordinates, got 3"),
        ({"vector": (1.0,)}, "must be 3 numbers that are not all 0, got 1"),
        ({"vector": (0.0, 0.0, 0.0)}, "must be 3 numbers that are not all 0"),
    ],
)
def test_a_direction_is_one_of_the_problem(given, message):
    with pytest.raises(KavgError, match=message):
        run(objectives.Cosine(dim=3), [measures.Spread(**given)])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"directions": (0, 0)}, "directions must differ"),
        ({"directions": ()}, r"at least one number, got \[\]; leave them out for direction 0"),
        ({"directions": (-1,)}, "at least 0"),
        ({"directions": (0,), "vector": (1.0,)}, "has directions or a vector, got both"),
    ],
)
def test_a_spread_that_contradicts_itself(given, message):
    with pytest.raises(KavgError, match=message):
        measures.Spread(**given)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 2.0])
def test_a_tolerance_of_the_sharpness_is_a_share(tolerance):
    # From 1 on the first product would do, whatever its sign.
    with pytest.raises(KavgError, match="tolerance must be a number above 0 and below 1, got"):
        measures.Sharpness(tolerance=tolerance)


# --- consensus


def test_consensus_of_elastic_learners_by_hand():
    # Both move by -1 from 0, are pulled back by a quarter to -3/4, and w is at -1.
    pull = aggregations.ElasticAveraging(alpha=0.25)
    found = run(objectives.Linear(dim=1), ["consensus"], aggregation=pull, rounds=2)
    # Then to -7/4, and by a quarter of -7/4 + 1 to -25/16; w moves by -3/4 to -7/4.
    np.testing.assert_array_equal(found.consensus2[:, 0], [0, 0.0625, (7 / 4 - 25 / 16) ** 2])


def test_learners_of_one_model_are_in_consensus():
    found = run(objectives.Cosine(dim=2), ["consensus"], oracle=oracles.Gaussian(1.0), gamma=0.1)
    np.testing.assert_array_equal(found.consensus2, 0.0)


# --- distance


def test_distance_from_the_minimiser_and_from_a_point():
    found = run(objectives.Rosenbrock(), ["distance"], start=(1.0, 3.0), gamma=1e-3, rounds=1)
    assert found.distance2[0, 0] == 4.0
    point = measures.Distance(point=(0.0, 3.0))
    found = run(objectives.Rosenbrock(), [point], start=(1.0, 3.0), gamma=1e-3)
    assert found.distance2[0, 0] == 1.0


WITH_MINIMISER = [
    objectives.Cosine(dim=3),
    objectives.SineBowl(dim=3),
    objectives.Saturating(dim=3),
    objectives.Logarithm(dim=3),
    objectives.Rosenbrock(),
    objectives.Quadratic((1.0, 2.0)),
    objectives.DoubleWell(dim=2, a=0.25),
]


@pytest.mark.parametrize("objective", WITH_MINIMISER, ids=lambda each: each.kind)
def test_a_minimiser_has_the_least_value_and_no_gradient(objective):
    w = objective.minimiser
    assert objective.value(w) == pytest.approx(objective.f_star.value, abs=1e-12)
    np.testing.assert_allclose(objective.grad(w, np.empty_like(w)), 0.0, atol=1e-12)


@pytest.mark.parametrize(
    "objective",
    [
        objectives.Cosine(dim=1, lam=0.0),
        objectives.DoubleWell(dim=1),
        objectives.Quadratic((1.0, 0.0)),
        objectives.Linear(dim=1),
    ],
    ids=lambda each: each.kind,
)
def test_without_a_single_minimiser_a_point_is_needed(objective):
    with pytest.raises(KavgError, match="no single minimiser that is known; give point"):
        run(objective, ["distance"])


def test_a_point_has_the_coordinates_of_the_problem():
    with pytest.raises(KavgError, match="must be one number or 3 of them, got 2"):
        run(objectives.Cosine(dim=3), [measures.Distance(point=(1.0, 2.0))])


# --- effective step

RULES = [
    (outer.Averaging(), 1.0),
    (outer.BlockMomentum(0.5), 2.0),
    (outer.BlockMomentum(0.5, alpha=0.7), 1.4),
    (outer.NesterovMomentum(0.75), 4.0),
    (outer.SlowMo(mu=0.5, alpha=0.5), 1.0),
    (outer.Averaging(alpha=0.7), 0.7),
]


@pytest.mark.parametrize(("rule", "gain"), RULES, ids=str)
def test_the_outer_gain_of_each_rule(rule, gain):
    assert outer_gain(rule, 0.1) == pytest.approx(gain, rel=1e-14)


@pytest.mark.parametrize(("rule", "gain"), RULES, ids=str)
def test_the_outer_gain_is_the_move_of_a_long_run(rule, gain):
    # Every displacement is -0.1, so at last w moves by -0.1 times the gain a round.
    found = run(objectives.Linear(dim=1), ["alignment"], rule=rule, gamma=0.1, rounds=200)
    assert found.aligned_gain[-1, 0] == pytest.approx(gain, rel=1e-9)


@pytest.mark.parametrize("restart", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "rule",
    [
        outer.BlockMomentum(0.75, alpha=0.7),
        outer.NesterovMomentum(0.5),
        outer.NesterovLookAhead(0.9, alpha=0.7),
        outer.QuasiHyperbolic(0.5, nu=0.7),
        outer.SlowMo(0.5),
    ],
    ids=str,
)
def test_with_restarts_the_outer_gain_is_the_mean_move_from_one_to_the_next(rule, restart):
    method = kavg.Algorithm(P=2, K=1, gamma=0.25, outer=rule, restart=restart)
    slope = kavg.Problem(objectives.Linear(dim=1), kavg.oracles.Noiseless(), start=0.0)
    found = kavg.simulate(slope, method, rounds=3 * restart, record=["effective_step"])
    moved = -float(found.w[0, 0]) / (3 * restart)
    np.testing.assert_allclose(found.effective_step[1:, 0], moved, rtol=1e-13)
    assert outer_gain(outer.BlockMomentum(0.5), 0.1, restart=1) == 1.0


def test_the_effective_step_follows_the_schedule():
    schedule = kavg.schedules.Piecewise((0.4, 0.1), (2,))
    rule = outer.BlockMomentum(0.5)
    found = run(objectives.Linear(dim=1), ["effective_step"], rule=rule, gamma=schedule)
    np.testing.assert_array_equal(found.effective_step[1:, 0], [0.8, 0.8, 0.2])


def test_a_rule_that_is_not_linear_has_no_gain():
    class Clipped:
        memory = False

        def start(self, w, v, out):
            out[...] = w

        def step(self, w, v, displacement, gamma):
            np.add(w, np.clip(displacement, -1.0, 1.0), out=w)

    assert np.isnan(outer_gain(Clipped(), 0.1))


# --- sharpness


@pytest.mark.parametrize(
    ("spectrum", "largest"),
    [
        ((1.0, 4.0), 4.0),
        ((1.0, -4.0), 1.0),
        ((-1.0, -4.0), -1.0),
        ((2.0, -2.0), 2.0),
        ((0.0, 0.0), 0.0),
        ((3.0,), 3.0),
    ],
)
@pytest.mark.parametrize("start", [0.0, 2.0, 1e6])
def test_the_sharpness_of_a_quadratic_is_its_largest_eigenvalue(spectrum, largest, start):
    found = run(objectives.Quadratic(spectrum), ["sharpness"], start=start, gamma=1e-3, rounds=1)
    np.testing.assert_allclose(found.sharpness[:, 0], largest, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_one_eigenvalue_among_many_is_found(sign):
    """The size of H u hardly changes at first, as random signs have 1/d of their square there."""
    bowl = objectives.Quadratic((sign, *[0.5] * 199_999))
    found = run(bowl, ["sharpness"], start=0.0, gamma=1e-3, rounds=1)
    np.testing.assert_allclose(found.sharpness[:, 0], max(sign, 0.5), rtol=1e-6)


def test_the_sharpness_of_a_rotated_quadratic():
    bowl = objectives.Quadratic(tuple(np.linspace(-3.0, 5.0, 12)), rotation_seed=1)
    found = run(bowl, ["sharpness"], start=1.0, gamma=1e-3, rounds=1, replicas=4)
    np.testing.assert_allclose(found.sharpness, 5.0, rtol=1e-2)
    assert (found.sharpness <= 5.0 * (1 + 1e-6)).all()


def test_the_sharpness_at_a_saddle_and_at_a_minimum():
    # F = (1 - a)^2 + 100 (b - a^2)^2 has the Hessian [[802, -400], [-400, 200]] at (1, 1).
    hessian = np.array([[802.0, -400.0], [-400.0, 200.0]])
    found = run(objectives.Rosenbrock(), ["sharpness"], start=(1.0, 1.0), gamma=1e-4, rounds=1)
    np.testing.assert_allclose(found.sharpness[:, 0], np.linalg.eigvalsh(hessian)[-1], rtol=1e-4)


def test_the_number_of_iterations_is_a_limit():
    bowl = objectives.Quadratic((1.0, 1.01), rotation_seed=2)
    once = measures.Sharpness(iterations=1)
    found = run(bowl, [once], start=1.0, gamma=1e-3, rounds=1)
    assert 0.9 < found.sharpness[0, 0] <= 1.01


# --- names

NAMES = ["alignment", "consensus", "distance", "effective_step", "sharpness", "spread"]


def test_a_name_is_that_of_a_kind():
    assert set(NAMES) <= set(measures.KINDS)
    with pytest.raises(KavgError, match="there is no measure 'sharpnes'; use alignment, "):
        run(objectives.Cosine(dim=1), ["sharpnes"])


def test_functions_and_measures_are_recorded_together():
    first = {"first": lambda n, w: w[:, 0]}
    found = run(objectives.Cosine(dim=2), ["sharpness", first, measures.Distance()], start=1.0)
    assert {"sharpness", "first", "distance2"} < set(found.series)


@pytest.mark.parametrize("record", [["sharpness", "sharpness"], [measures.Distance(), "distance"]])
def test_a_series_is_recorded_once(record):
    with pytest.raises(KavgError, match="in record is taken; give the measure another"):
        run(objectives.Cosine(dim=1), record)


@pytest.mark.parametrize("item", [3, measures.Sharpness, None, lambda n, w: w[:, 0]])
def test_an_item_of_a_list_is_a_measure(item):
    with pytest.raises(KavgError, match=r"record\[0\] must be a measure of kavg\.measures"):
        run(objectives.Cosine(dim=1), [item])
