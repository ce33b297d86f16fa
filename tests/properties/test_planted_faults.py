"""The list of planted faults: each has one place, every method has three, and some are caught."""

import subprocess
import sys
from itertools import chain

import pytest
from helpers.experiment import ROOT, experiment
from helpers.methods import METHODS

from kavg import aggregations, measures, methods, optimizers, outer, periods

planted_faults = experiment("methods/planted_faults")
LISTED = {(one.family, one.name): one for one in planted_faults.load_methods()}
STATES = ("reset", "kept", "averaged")


def parts_of(algorithm):
    """The parts of an algorithm as the list names them: family and kind."""
    optimizer, law = algorithm.optimizer, algorithm.aggregation
    state = f", {optimizer.at_average}" if optimizer.slots else ""
    last = ", last" if getattr(law, "first_gradient", "") == "last" else ""
    yield "outer", algorithm.outer.kind
    yield "optimizers", optimizer.kind + state
    yield "aggregations", law.kind + last
    if callable(algorithm.K):
        yield "periods", algorithm.K.kind
    if algorithm.restart is not None:
        yield "outer", "restart"


def every_kind():
    """All kinds of kavg, those of optimizers with each treatment of their state."""
    named = {"outer": outer, "aggregations": aggregations, "periods": periods, "measures": measures}
    for family, package in named.items():
        yield from ((family, kind) for kind in package.KINDS)
    for kind, cls in optimizers.KINDS.items():
        names = [f"{kind}, {state}" for state in STATES] if cls.slots else [kind]
        yield from (("optimizers", name) for name in names)
    yield from (("presets", name) for name in methods.METHODS)


@pytest.mark.parametrize("one", LISTED.values(), ids=lambda one: one.name)
def test_a_fault_has_one_place_and_is_a_program(one):
    places = set()
    for fault in one.faults:
        text = (ROOT.parent / fault.file).read_text()
        changed = fault.plant(text)
        compile(changed, fault.file, "exec")
        assert changed != text
        places.add((fault.file, changed))
    assert len(places) == len(one.faults)


@pytest.mark.parametrize(
    "part", sorted({*every_kind(), *chain(*map(parts_of, METHODS.values()))}), ids="-".join
)
def test_every_method_has_three_faults(part):
    assert len(LISTED[part].faults) >= 3


def test_laws_are_those_of_methods():
    assert set(chain(*(one.laws for one in LISTED.values()))) <= set(METHODS)


def test_a_text_that_has_moved_is_told():
    fault = planted_faults.Fault("sign", "a + b", "a - b", "x.py")
    assert fault.plant("c = a + b") == "c = a - b"
    with pytest.raises(ValueError, match=r"x\.py: sign: occurs 2 times: a \+ b"):
        fault.plant("a + b, a + b")
    with pytest.raises(ValueError, match="occurs 0 times"):
        fault.plant("b + a")


FAULTS = """
[[method]]
name = "averaging"
file = "kavg/outer/averaging.py"
tests = ["tests/contracts/test_outer.py::test_paths_by_hand"]
faults = [
    ["against the displacement", "self.alpha, workspace", "-self.alpha, workspace"],
    ["no fault", "out[...] = w\\n", "out[:] = w\\n"],
]
"""


def test_what_is_caught_and_what_survives(tmp_path):
    (tmp_path / "outer.toml").write_text(FAULTS)
    program = ROOT / "methods" / "planted_faults.py"
    command = [sys.executable, program, "averaging", "--faults", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[2:] == [
        "| outer | `averaging` | 2 | 1 | `test_paths_by_hand` |",
        "| | **all** | 2 | 1 | |",
    ]
    assert done.stderr == "survives: kavg/outer/averaging.py: no fault: out[:] = w\n\n"
    assert done.returncode == 1
