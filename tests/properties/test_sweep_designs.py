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
from kavg.config.toml import parse_toml
from kavg.sweeps import parse_sweep

NAMES = st.text(min_size=1, max_size=6).filter(lambda name: name.isprintable() and name.strip())
MOMENTA = st.lists(st.floats(0, 0.9), min_size=1, max_size=2, unique=True)
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
