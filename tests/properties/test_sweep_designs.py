"""Laws of the designs of sweeps: which points there are, and that each is as it would be alone."""

from __future__ import annotations

import itertools

import tomli_w
from helpers.sweeps import BASE
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.config import parse_config, to_toml
from kavg.config.overrides import apply_override
from kavg.config.places import join_steps
from kavg.config.sweeps.spacing import FORMS
from kavg.config.toml import parse_toml
from kavg.errors import KavgError
from kavg.sweeps import parse_sweep

NAMES = st.text(min_size=1, max_size=6).filter(lambda name: name.isprintable() and name.strip())
MOMENTA = st.lists(st.floats(0, 0.9), min_size=1, max_size=2, unique=True)
ALGORITHMS = ("K-AVG", "M-AVG")
COUNTS = st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True)
GAMMAS = st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=3, unique=True)
PLACES = {
    ("objective", "omega"): GAMMAS,
    ("algorithm", "*", "K"): COUNTS,
    ("algorithm", 0, "P"): COUNTS,
    ("algorithm", "NAME", "gamma"): GAMMAS,
    ("algorithm", "*", "outer", "mu"): MOMENTA,
}


def write_place(steps, name):
    """The text of a place, with * for all algorithms and the name where NAME stands."""
    return join_steps(*(name if step == "NAME" else step for step in steps)).replace('["*"]', ".*")


@st.composite
def designs(draw):
    """Settings with a hostile name, and places with their values in groups of a sweep."""
    name = draw(NAMES.filter(lambda name: name not in ("*", "K-AVG")))
    tables = parse_toml(BASE)
    tables["algorithm"][1]["name"] = name
    chosen = draw(st.lists(st.sampled_from(sorted(PLACES, key=str)), min_size=1, unique=True))
    values = {}
    for steps in chosen:
        place = write_place(steps, name)
        values[place] = draw(PLACES[steps])
    groups = {place: draw(st.sampled_from(["grid", "tune"])) for place in values}
    tables["sweep"] = {
        group: {place: found for place, found in values.items() if groups[place] == group}
        for group in ("grid", "tune")
    }
    return tables, values


def concerns(place, algorithm, name):
    if place.startswith("objective"):
        return True
    if place.endswith("mu"):
        return algorithm == 1
    selected = {"algorithm.*": (0, 1), "algorithm[0]": (0,), "algorithm.0": (0,)}
    start = next((start for start in selected if place.startswith(f"{start}.")), None)
    return algorithm in (selected[start] if start else (1,))


@settings(deadline=None, max_examples=30)
@given(designs())
def test_the_points_of_an_algorithm_are_the_product_of_what_concerns_it(design):
    tables, values = design
    sweep = parse_sweep(tomli_w.dumps(tables))
    name = tables["algorithm"][1]["name"]
    for number, algorithm in enumerate(["K-AVG", name]):
        mine = [values[place] for place in values if concerns(place, number, name)]
        found = [point for point in sweep.points if point.algorithm == algorithm]
        assert len(found) == len([*itertools.product(*mine)])
    assert len({point.label for point in sweep.points}) == len(sweep.points)
    assert [point.number for point in sweep.points] == [*range(len(sweep.points))]


@settings(deadline=None, max_examples=30)
@given(designs())
def test_a_point_has_the_settings_that_set_gives_them(design):
    """By another way: ``--set`` of each value, and the algorithm that the point is of."""
    tables, _ = design
    plain = {key: value for key, value in tables.items() if key != "sweep"}
    sweep = parse_sweep(tomli_w.dumps(tables))
    for point in sweep.points:
        changed = parse_toml(tomli_w.dumps(plain))
        changed["algorithm"] = [
            each for each in changed["algorithm"] if each["name"] == point.algorithm
        ]
        for short, value in point.settings.items():
            apply_override(changed, f"{sweep.places[short]}={value!r}")
        assert parse_config(tomli_w.dumps(changed)) == point.config
        assert parse_config(to_toml(point.config)) == point.config


@settings(deadline=None, max_examples=30)
@given(designs())
def test_the_text_of_a_sweep_is_the_sweep(design):
    sweep = parse_sweep(tomli_w.dumps(design[0]))
    again = parse_sweep(sweep.text)
    assert (again.points, again.places, again.stages) == (sweep.points, sweep.places, sweep.stages)


ROWS = st.lists(st.tuples(st.sampled_from([1.0, 2.0]), st.integers(1, 3)), min_size=1, max_size=5)


@settings(deadline=None, max_examples=30)
@given(ROWS, st.sampled_from(["zip", "tune"]))
def test_a_zip_has_its_rows_each_once_as_far_as_they_concern_an_algorithm(rows, group):
    omega, K = zip(*rows, strict=True)
    table = {"objective.omega": [*omega], "algorithm.M-AVG.K": [*K]}
    given_tables = {"zip": table} if group == "zip" else {group: {"zip": table}}
    tables = parse_toml(BASE) | {"sweep": given_tables}
    sweep = parse_sweep(tomli_w.dumps(tables))
    found = {name: [p.settings for p in sweep.points if p.algorithm == name] for name in ALGORITHMS}
    assert found["K-AVG"] == [{"omega": one} for one in dict.fromkeys(omega)]
    assert found["M-AVG"] == [{"omega": one, "K": other} for one, other in dict.fromkeys(rows)]


LAWS = st.sampled_from([
    {"uniform": [0.01, 0.5]}, {"log2": [-9, -1]}, {"log10": [-3, 0]}, {"log2": [-9, -1], "per": 1},
    {"linear": [0.1, 0.9], "count": 9}, [0.125, 0.25, 0.5],
])  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(LAWS, st.integers(1, 6), st.integers(0, 9), st.booleans())
def test_more_trials_and_other_places_change_no_draw(law, trials, seed, other):
    def draw(count, more):
        random = {"trials": count, "seed": seed, "algorithm.M-AVG.gamma": law} | more
        sweep = parse_sweep(tomli_w.dumps(parse_toml(BASE) | {"sweep": {"random": random}}))
        return [p.settings["gamma"] for p in sweep.points if p.algorithm == "M-AVG"]

    few = draw(trials, {})
    many = draw(trials + 3, {"objective.omega": [1.0, 2.0, 3.0]} if other else {})
    assert [*dict.fromkeys(many)][: len(few)] == few
    assert all(0.001 <= gamma <= 1.0 for gamma in few)


ANY_NUMBER = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([0, 1, 2, -1, 0.5, 1e308, -3, 10**9])
)
ANY_VALUE = st.recursive(
    ANY_NUMBER | st.booleans() | st.sampled_from(["averaging", "cosine", "exact", "", "x.npz"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "mu", "log2", "a.b"]), inner, max_size=2)
    ),
    max_leaves=4,
)
ANY_PLACE = st.sampled_from([
    "algorithm.*.K", "algorithm.M-AVG.gamma", "algorithm.*.outer.mu", "algorithm.1.effective_step",
    "algorithm.*.outer", "algorithm.0.outer.kind", "objective", "objective.kind", "objective.omega",
    "oracle.sigma2", "oracle", "start", "start.0", "rounds", "mean", "dtype", "seed", "trials",
    "algorithm", "algorithm.*", "algorithm.9.K", "", ".", "a=b", "x.y.z", "zip", "random", "sweep",
])  # fmt: skip
SPACINGS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(FORMS, st.lists(ANY_NUMBER, max_size=3))
    | {"per": ANY_NUMBER, "count": ANY_NUMBER},
)  # fmt: skip
PLACE_TABLES = st.dictionaries(
    ANY_PLACE, st.lists(ANY_VALUE, max_size=3) | SPACINGS | ANY_VALUE, max_size=3
)
HOSTILE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(["grid", "zip", "random", "tune"], PLACE_TABLES)
    | {
        "budget": st.dictionaries(
            st.sampled_from(["gradients", "communications", "time", "clock"]), ANY_VALUE, max_size=2
        ),
        "target": st.dictionaries(
            st.sampled_from(["quantity", "below", "fraction", "rule"]), ANY_VALUE, max_size=3
        ),
        "stage": st.lists(
            st.dictionaries(
                st.sampled_from(["keep", "replicas", "rounds", "share", "seed"]),
                ANY_VALUE,
                max_size=2,
            ),
            max_size=3,
        )
        | ANY_VALUE,
    },
)


@settings(deadline=None, max_examples=100)
@given(HOSTILE, st.booleans())
def test_any_table_is_a_sweep_or_refused_in_short_lines(sweep, has_rounds):
    tables = parse_toml(BASE) | {"sweep": sweep}
    if not has_rounds:
        del tables["rounds"]
    try:
        found = parse_sweep(tomli_w.dumps(tables))
    except KavgError as error:
        lines = str(error).split("\n")
        assert len(lines) <= 21
        assert all(0 < len(line) < 1000 and line.isprintable() for line in lines)
    else:
        for point in found.points[:3]:
            assert parse_config(to_toml(point.config)) == point.config
