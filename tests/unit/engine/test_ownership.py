"""Arrays that enter a run are copied, and those that leave it are read-only."""

import numpy as np
import pytest
from helpers.user_code import Bowl, Rule, changed, run

import kavg
from kavg.arrays import adopt, freeze, is_own, own_array, view_read_only
from kavg.objectives.data import Data
from kavg.trajectory import State

NOISE = kavg.oracles.Gaussian(1.0)
METHOD = kavg.Algorithm(3, 2, 0.1, kavg.outer.BlockMomentum(0.5))
PROBLEM = kavg.Problem(Bowl(), NOISE, 2.0)


# --- what leaves


def subtract(r):
    e = r.w
    e -= 1.0


WRITERS = {
    "w": subtract,
    "w, in part": lambda r: r.w.__setitem__((0, 0), 0.0),
    "v": lambda r: r.v.fill(0.0),
    "the state's w": lambda r: r.state.w.sort(),
    "the state's exponents": lambda r: r.state.exponents.fill(9),
    "dispersion": lambda r: np.negative(r.dispersion, out=r.dispersion),
    "a view of w": lambda r: r.w[0].fill(0.0),
    "w, transposed": lambda r: r.w.T.__setitem__(0, 0.0),
    "w, shuffled": lambda r: np.random.default_rng(1).shuffle(r.w),
    "w, reshaped": lambda r: r.w.reshape(-1).fill(0.0),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("mean", ["exact", "allreduce"])
def test_on_round_cannot_change_a_run(name, mean):
    outer = kavg.outer.BlockMomentum(0.5)
    with pytest.raises(kavg.KavgError, match=r"must not write to the arrays it is given.*w.copy"):
        run(oracle=NOISE, outer=outer, on_round=WRITERS[name], mean=mean)


def test_the_message_names_the_function_and_the_round():
    with pytest.raises(
        kavg.KavgError, match=r"subtract \(line \d+ of test_ownership.py\) .*round 1"
    ):
        run(on_round=subtract)


def test_on_round_may_change_a_copy():
    def look(r):
        e = r.w.copy()
        e -= 1.0

    assert np.array_equal(run(oracle=NOISE, on_round=look).w, run(oracle=NOISE).w)


@pytest.mark.parametrize("name", WRITERS)
def test_rounds_of_meta_iterations_are_read_only(name):
    rounds = kavg.meta_iterations(PROBLEM, METHOD, replicas=2)
    start = next(rounds)
    assert not start.w.flags.writeable
    assert not start.v.flags.writeable
    assert not start.dispersion.flags.writeable
    for now in (next(rounds), next(rounds)):
        with pytest.raises(ValueError, match="read-only"):
            WRITERS[name](now)


def test_a_measure_cannot_change_a_run():
    with pytest.raises(kavg.KavgError, match=r"must not write .*the measure 'size' after round 0"):
        run(record={"size": lambda n, w: np.abs(w, out=w).max(axis=-1)})


def test_a_value_cannot_change_a_run_in_a_later_round():
    def value(self, x):
        return (np.square(x, out=x) if x.max() < 1.5 else np.square(x)).sum(axis=-1) / 2

    with pytest.raises(
        kavg.KavgError, match=r"value .*must not write.*the measure 'F' after round"
    ):
        run(changed(Bowl, value=value), rounds=20)


def test_a_gradient_cannot_change_iterates_in_a_later_round():
    def grad(self, x, out):
        if x.max() < 1.5:
            x *= 0.5
        out[...] = x

    with pytest.raises(kavg.KavgError, match=r"grad .*must not write .*round \d+, on rank 0"):
        run(changed(Bowl, grad=grad), rounds=20)


def test_an_outer_rule_cannot_move_w_in_its_start_in_a_later_round():
    def start(self, w, v, out):
        if w.max() < 1.5:
            w *= 0.5
        out[...] = w

    with pytest.raises(kavg.KavgError, match=r"start .*must not write"):
        run(outer=changed(Rule, start=start), rounds=20)


ARRAYS = ["rounds", "w", "v", "seconds", "gammas", "exponents", "F", "grad_norm2", "dispersion"]


@pytest.mark.parametrize("name", ARRAYS)
def test_a_trajectory_is_read_only(name):
    result = run(oracle=NOISE, outer=kavg.outer.BlockMomentum(0.5))
    with pytest.raises(ValueError, match="read-only"):
        getattr(result, name).fill(0)
    assert all(not state.w.flags.writeable for state in result.states)


def test_arrays_of_objectives_are_read_only():
    data = Data([[1.0, 2.0], [2.0, 1.0], [0.0, 1.0]], [0, 1, 1])
    logistic = kavg.objectives.LogisticRegression(data)
    bowl = kavg.objectives.Quadratic((1.0, 2.0), rotation_seed=1)
    handed_out = [
        data.features, data.labels, data.take(slice(2)).features, data.take(np.array([1])).labels,
        logistic.labels, logistic.split.train.features, logistic.split.label_values,
        kavg.objectives.Network(data).classes, bowl.eigenvalues, bowl.rotation, bowl.hessian,
    ]  # fmt: skip
    assert [a.flags.writeable for a in handed_out] == [False] * len(handed_out)


# --- what enters


@pytest.mark.parametrize("dtype", [float, np.float32, int])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_data_are_copied(dtype, layout):
    X, y = layout(np.arange(12, dtype=dtype).reshape(6, 2)), np.array([0, 1, 0, 1, 0, 1], dtype)
    data = Data(X, y)
    expected = kavg.objectives.LogisticRegression(Data(X.copy(), y.copy())).value(np.ones(2))
    X *= 100
    y[...] = 1 - y
    assert kavg.objectives.LogisticRegression(data).value(np.ones(2)) == expected


def test_data_behind_a_read_only_view_are_copied_too():
    X = np.arange(12.0).reshape(6, 2)
    data = Data(view_read_only(X), np.arange(6) % 2)
    X *= 100
    assert data.features.max() == 11


def test_arrays_of_data_are_not_copied_again():
    data = Data(np.arange(12.0).reshape(6, 2), np.arange(6) % 2)
    assert np.shares_memory(Data(data.features, data.labels).features, data.features)
    assert np.shares_memory(data.take(slice(3)).features, data.features)
    assert np.shares_memory(
        data.with_features(data.features[2:], data.labels[2:]).labels, data.labels
    )


def view_before(array):
    """The array, made read-only, and a view from before that writes to it."""
    view = array[:]
    return freeze(array), view


def test_a_view_from_before_an_array_was_made_read_only_changes_no_data():
    (X, x), (Y, y) = view_before(np.arange(12.0).reshape(6, 2)), view_before(np.arange(6.0) % 2)
    data = Data(X, Y)
    other = data.with_features(X, Y)
    x *= 100
    y += 1
    for one in (data, other, data.take(slice(6))):
        assert (one.features.max(), one.labels.max()) == (11, 1)


def test_a_view_from_before_an_array_was_made_read_only_changes_no_run():
    w, mine = view_before(np.full((1, 3), 2.0))
    v = freeze(np.zeros((1, 3)))
    rounds = kavg.meta_iterations(PROBLEM, METHOD, state=State(4, w, v, np.full(1, 3)))
    expected = kavg.meta_iterations(PROBLEM, METHOD, state=State(4, w.copy(), v, np.full(1, 3)))
    mine[...] = 1e9
    assert np.array_equal(next(rounds).w, next(expected).w)
    short = run(rounds=2)
    w, mine = view_before(short.w.copy())
    longer = kavg.Trajectory(**vars(short) | {"w": w})
    found = run(rounds=4, extends=longer, on_round=lambda now: mine.fill(7))
    assert np.array_equal(found.w, run(rounds=4).w)


def test_a_state_is_copied():
    w, v, exponents = np.full((1, 3), 2.0), np.zeros((1, 3)), np.full(1, 3)
    rounds = kavg.meta_iterations(PROBLEM, METHOD, state=State(4, w, v, exponents))
    expected = kavg.meta_iterations(
        PROBLEM, METHOD, state=State(4, w.copy(), v.copy(), exponents.copy())
    )
    w[...], v[...], exponents[...] = 1e9, 1e9, 1
    for _ in range(3):
        assert np.array_equal(next(rounds).w, next(expected).w)
    assert w.flags.writeable
    assert exponents.flags.writeable


def test_a_run_that_is_extended_is_copied():
    outer = kavg.outer.BlockMomentum(0.5)
    settings = {"oracle": NOISE, "outer": outer}
    short = run(rounds=2, **settings)
    writable = {
        name: np.array(getattr(short, name))
        for name in ("w", "v", "exponents", "seconds", "gammas")
    }
    mine = kavg.Trajectory(
        **vars(short) | writable | {"series": {name: a.copy() for name, a in short.series.items()}}
    )
    longer = run(rounds=4, extends=mine, **settings)
    before = [longer.F.copy(), longer.w.copy(), longer.states[1].w.copy()]
    for array in (*writable.values(), *mine.series.values()):
        (array.base if array.base is not None else array)[...] = 7
    after = [longer.F, longer.w, longer.states[1].w]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert np.array_equal(longer.F, run(rounds=4, **settings).F)


def test_a_start_is_copied():
    start = np.array([1.0, 2.0, 3.0])
    problem = kavg.Problem(Bowl(), NOISE, start)
    before = kavg.simulate(problem, METHOD, rounds=2).w
    start *= 100
    assert np.array_equal(kavg.simulate(problem, METHOD, rounds=2).w, before)


def test_a_law_of_starts_may_keep_its_array():
    class Law:
        kept = np.full((2, 3), 2.0)

        def draw(self, seed, R, dim):
            return self.kept[:R]

    problem = kavg.Problem(Bowl(), NOISE, Law())
    rounds = kavg.meta_iterations(problem, METHOD, replicas=2)
    first = next(rounds).w
    Law.kept[...] = 1e9
    assert first.max() == 2.0


def test_a_measure_may_return_an_array_that_it_overwrites():
    kept = np.empty(2)

    def largest(n, w):
        return w.max(axis=-1, out=kept)

    result = run(record={"largest": largest})
    assert len(set(result.largest[:, 0])) == 5


# --- the helpers


def test_an_array_of_ones_own_is_whole_and_read_only():
    given = np.arange(6.0)[::2]
    own = own_array(given, np.float64)
    assert own.flags.c_contiguous
    assert is_own(own)
    assert is_own(own[1:].reshape(-1, 1).T)
    assert own_array(own, np.float64) is own
    assert not is_own(own.copy())
    assert given.flags.writeable
    with pytest.raises(ValueError, match="cannot set WRITEABLE flag"):
        own.flags.writeable = True


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 3), (1,)])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_an_array_is_adopted_with_its_memory(shape, dtype):
    array = np.ones(shape, dtype)
    own = adopt(array)
    assert (own.shape, own.dtype) == (shape, array.dtype)
    assert np.array_equal(own, array)
    assert np.shares_memory(own, array) == (array.size > 0)
    assert adopt(np.arange(6.0).reshape(2, 3).T).strides == (8, 24)
    assert own_array(np.array(3), np.float64).shape == ()
    assert not is_own(view_read_only(array))
