"""Every constructor makes one value of equal numbers, and refuses what is no argument."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from helpers import strategies
from helpers.constructors import CLASSES, KINDS, arguments
from hypothesis import assume, given
from hypothesis import strategies as st

import kavg
from kavg.base import Constant, Objective, Oracle, Outer, Start
from kavg.config.kinds import to_plain
from kavg.engine.options import RunOptions
from kavg.errors import KavgError
from kavg.protocols import protocol_members
from kavg.storage import digest

WHOLE = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)
REAL = (np.float16, np.float32, np.float64, np.longdouble, Fraction, *WHOLE)


@st.composite
def disguises(draw, value):
    """The same number, or the same numbers in a row, as other types hold them."""
    if isinstance(value, tuple) and value and all(isinstance(part, float) for part in value):
        return draw(st.sampled_from([list(value), np.array(value), np.array(value, np.longdouble)]))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        return value
    kinds = WHOLE if isinstance(value, int) else REAL
    holding = [kind for kind in kinds if holds(kind, value)]
    if not holding:
        return value
    other = draw(st.sampled_from(holding))(value)
    return np.array(other) if draw(st.booleans()) and not isinstance(other, Fraction) else other


def holds(kind: Any, value: float) -> bool:
    if kind in WHOLE:
        limits = np.iinfo(kind)
        return value == int(value) and limits.min <= value <= limits.max
    with np.errstate(over="ignore", under="ignore"):
        return float(kind(value)) == value


def disguised(data: st.DataObject, value: Any) -> Any:
    """A value of kavg made again from other types of numbers, its parts too."""
    if not is_dataclass(value) or isinstance(value, kavg.Data):
        return data.draw(disguises(value))
    parts = {field.name: disguised(data, getattr(value, field.name)) for field in fields(value)}
    return replace(value, **parts)


@pytest.mark.parametrize("cls", CLASSES)
@given(st.data())
def test_equal_numbers_make_equal_values(cls, data):
    named = arguments(cls)
    for name, hint in get_type_hints(cls, include_extras=True).items():
        if get_origin(hint) is Annotated:
            named[name] = data.draw(strategies.numbers(*get_args(hint)[:2]))
    try:
        plain = cls(**named)
    except KavgError:  # numbers that do not go together
        assume(False)
    other = disguised(data, plain)
    assert other == plain
    assert hash(other) == hash(plain)
    assert repr(other) == repr(plain)
    assert json.dumps(to_plain(other), default=str) == json.dumps(to_plain(plain), default=str)
    for field in fields(cls):
        assert type(getattr(other, field.name)) is type(getattr(plain, field.name))


@given(strategies.problems(), strategies.algorithms(), st.data())
def test_equal_numbers_make_equal_runs(problem, algorithm, data):
    options = {"rounds": 2, "replicas": 2, "seed": 5, "every": 1, "tile": 3}
    run = kavg.simulate(problem, algorithm, **options)
    disguise = {name: disguised(data, value) for name, value in options.items()}
    other = kavg.simulate(disguised(data, problem), disguised(data, algorithm), **disguise)
    assert digest(other) == digest(run)


@pytest.mark.parametrize("K", [np.int8(100), np.uint8(100), np.array(100, np.int8)])
def test_a_small_type_of_K_does_not_wrap(K):
    problem = kavg.Problem(kavg.objectives.Cosine(dim=2), kavg.oracles.Gaussian(1.0), 2.0)
    runs = [
        kavg.simulate(problem, kavg.Algorithm(4, each, 0.01, kavg.outer.Averaging()), rounds=3)
        for each in (100, K)
    ]
    assert digest(runs[1]) == digest(runs[0])
    assert runs[1].gradients.tolist() == [0, 400, 800, 1200]


class NumPyDimension:
    """A user's objective whose dimension is a number of NumPy."""

    def __init__(self, inner, kind):
        self.inner, self.dim = inner, kind(inner.dim)

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.mark.parametrize("oracle", [cls for cls in KINDS if cls.__module__.startswith("kavg.orac")])
@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint64])
def test_a_dimension_of_numpy_is_a_dimension(oracle, kind):
    if oracle in (kavg.oracles.MiniBatch, kavg.oracles.LabelNoise):
        pytest.skip("it asks the objective for more than a dimension")
    noise = oracle(**arguments(oracle))
    method = kavg.Algorithm(4, 3, 0.01, kavg.outer.BlockMomentum(0.5))
    # A function of learners has one coordinate, and fresh examples are those of a quadratic.
    bowl = kavg.objectives.Cosine(dim=1 if oracle is kavg.oracles.UnlikeFunctions else 3)
    if oracle is kavg.oracles.RandomDesign:
        bowl = kavg.objectives.Quadratic((0.5, 1.0))
    digests = {
        digest(kavg.simulate(kavg.Problem(F, noise, 1.0), method, rounds=3))
        for F in (bowl, NumPyDimension(bowl, kind))
    }
    assert len(digests) == 1


# What is no argument

NEVER = (
    b"x", object(), {}, {1.0}, ["x"], [None], float, kavg.objectives.Cosine, True, np.True_,
    np.array(True), 1j, Decimal("1"), np.datetime64("2020"), np.eye(2), np.array(["x"]),
    np.array(None), Ellipsis, np.ma.masked, np.ma.array([1.0, 2.0], mask=[True, False]),
)  # fmt: skip
"""No field takes one of these, but that some are switches."""
SOMEWHERE = (
    None, "x", float("nan"), float("inf"), -1, 10**400, [], (), lambda n: 0.1, Path("x"),
    kavg.outer.Averaging(), kavg.objectives.Cosine(dim=1), kavg.oracles.Noiseless(),
)  # fmt: skip
FIELDS = [(cls, field.name) for cls in CLASSES for field in fields(cls)]


def may_hold(hint: str, value: Any) -> bool:
    """True for switches, and for rows of texts."""
    if str(value) == "['x']":
        return "tuple" in hint and "str" in hint
    return isinstance(value, (bool, np.bool)) and "bool" in hint


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_what_no_field_can_hold_is_refused(cls, name):
    hint = str(get_type_hints(cls)[name])
    for wrong in NEVER:
        if name == "mixing" and getattr(wrong, "ndim", 0) == 2:
            continue  # the identity is a matrix of gossip
        if may_hold(hint, wrong) and name != "measures":  # which are names of measures
            assert getattr(cls(**arguments(cls) | {name: wrong}), name) in (True, ("x",))
            continue
        # A measure may be called by its name, and the error is about that.
        with pytest.raises(KavgError, match="measure" if name == "measures" else name):
            cls(**arguments(cls) | {name: wrong})


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_what_another_field_holds_is_refused_or_held(cls, name):
    for value in SOMEWHERE:
        try:
            held = getattr(cls(**arguments(cls) | {name: value}), name)
        except KavgError as error:
            message = str(error)
            assert name in message
            continue
        plain = str(value) if isinstance(value, Path) else value
        same = held is plain or held == plain
        # None is what a field left out holds, and some then hold what suits the other fields.
        assert same or value is None or (isinstance(value, list) and held == ())


A = kavg.objectives.Cosine(dim=1)
NOISE = kavg.oracles.Gaussian(1.0)
RULE = kavg.outer.Averaging()
METHOD = kavg.Algorithm(2, 1, 0.1, RULE)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: kavg.Algorithm(2, 1, None, RULE),
            "gamma must be a finite number above 0 or a func",
        ),
        (
            lambda: kavg.Algorithm(2, 1, "0.05", RULE),
            r"such as lambda n: 0\.1 / n, got gamma='0\.05'",
        ),
        (
            lambda: kavg.Algorithm(2, 1, 0.1, "block_momentum"),
            r"such as outer\.BlockMomentum\(mu=0\.5",
        ),
        (
            lambda: kavg.Algorithm(2, 1, 0.1, kavg.outer.Averaging),
            r"the class Averaging; make one, Av",
        ),
        (lambda: kavg.Algorithm(2, 1, kavg.schedules.ConstantStep, RULE), "the class ConstantStep"),
        (
            lambda: kavg.oracles.Gaussian("1"),
            "sigma2 must be a finite number of at least 0, got sig",
        ),
        (
            lambda: kavg.outer.BlockMomentum(None),
            "mu must be a number .* got mu=None; use 0 for aver",
        ),
        (lambda: kavg.objectives.Quadratic(np.eye(3)), r"a matrix; give np\.linalg\.eigvalsh\(H\)"),
        (
            lambda: kavg.objectives.Quadratic([[1.0], [2.0]]),
            r"spectrum\[0\] must be a finite number",
        ),
        (
            lambda: kavg.objectives.Network(3),
            r"data must be text, a path, a DataFile such as",
        ),
        (
            lambda: kavg.Problem(kavg.objectives.Cosine, NOISE),
            "objective must be .* the class Cosine",
        ),
        (
            lambda: kavg.Problem(NOISE, A),
            r"objective must be an objective such as obj.*objective=Gau",
        ),
        (
            lambda: kavg.Problem(A, A),
            r"oracle must be an oracle such as oracles\.Gaussian.*=Cosine",
        ),
        (lambda: kavg.Problem(A, NOISE, "0"), r"start must be .*starts\.Normal.*, got start='0'"),
        (lambda: kavg.Problem(A, NOISE, np.zeros((1, 1))), r"start must be .* got start=array"),
        (
            lambda: kavg.simulate(METHOD, kavg.Problem(A, NOISE), rounds=1),
            "problem must be a Problem",
        ),
        (
            lambda: kavg.meta_iterations(A, METHOD),
            "problem must be a Problem.*, got problem=Cosine",
        ),
        (lambda: RunOptions(dtype=np.float32), "one of float64, float32, got dtype=<class 'numpy"),
        (
            lambda: kavg.oracles.MiniBatch(2, sampling="all"),
            "sampling must be one of with_repl.*'all'",
        ),
        (
            lambda: kavg.oracles.MiniBatch(2, partition=True),
            "partition must be a Partition such as",
        ),
        (
            lambda: kavg.oracles.Shifted(1.0, NOISE.plan),
            "noise must be additive noise such as orac",
        ),
    ],
)
def test_a_message_shows_what_is_needed(make, message):
    with pytest.raises(KavgError, match=message):
        make()


def parts(protocol: type) -> dict[str, Any]:
    """An attribute of each name that a Protocol asks for."""
    return {
        "dim": 1, "L": Constant(1.0, "exact"), "f_star": Constant(0.0, "exact"), "memory": False,
        **{name: print for name, hint in protocol_members(protocol).items() if hint is None},
    }  # fmt: skip


FIELD = {Objective: "objective", Oracle: "oracle", Start: "start", Outer: "outer"}
MEMBERS = [(protocol, name) for protocol in FIELD for name in protocol_members(protocol)]


def with_part(protocol: type, part: Any) -> Any:
    given = {"objective": A, "oracle": NOISE, "start": 0.0, "outer": RULE} | {FIELD[protocol]: part}
    kavg.Problem(given["objective"], given["oracle"], given["start"])
    return kavg.Algorithm(2, 1, 0.1, given["outer"])


@pytest.mark.parametrize(("protocol", "name"), MEMBERS)
def test_a_part_without_a_member_is_refused(protocol, name):
    has = parts(protocol)
    with_part(protocol, SimpleNamespace(**has))
    lacks = SimpleNamespace(**{other: has[other] for other in has if other != name})
    left = len(protocol_members(protocol)) > 1
    with pytest.raises(KavgError, match=f"; it has no {name}$" if left else "start must be"):
        with_part(protocol, lacks)


@pytest.mark.parametrize(("protocol", "name"), MEMBERS)
def test_a_part_with_a_wrong_member_is_refused(protocol, name):
    wrong = "no such thing" if protocol_members(protocol)[name] else 3
    with pytest.raises(KavgError, match="start must be" if protocol is Start else name):
        with_part(protocol, SimpleNamespace(**parts(protocol) | {name: wrong}))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"L": 2.0}, r"objective\.L must be a Constant such as .*, got objective\.L=2\.0"),
        ({"dim": 3.0}, r"objective\.dim must be a whole number, got objective\.dim=3\.0"),
        ({"L": lambda: 1}, r"objective\.L must be a Constant .*a method; write @property above it"),
    ],
)
def test_constants_are_constants(part, message):
    with pytest.raises(KavgError, match=message):
        with_part(Objective, SimpleNamespace(**parts(Objective) | part))


def test_a_property_is_not_evaluated_until_it_is_needed():
    class Costly(SimpleNamespace):
        @property
        def L(self):
            raise AssertionError

    with_part(Objective, Costly(**{k: v for k, v in parts(Objective).items() if k != "L"}))


def test_a_path_is_as_good_as_its_text():
    path = Path("iris.csv")
    assert kavg.objectives.Network(path) == kavg.objectives.Network("iris.csv")
    assert kavg.objectives.Network(path).data == "iris.csv"
