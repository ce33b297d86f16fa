"""The program that prints the table of methods: what it counts, computes and times."""

from types import SimpleNamespace

import pytest
from helpers.experiment import experiment
from helpers.methods import METHODS, method

from kavg import periods

evidence = experiment("methods/evidence")
NAME, OTHER = list(METHODS)[:2]


def item(test, name, place):
    call = SimpleNamespace(params={"name": name})
    return SimpleNamespace(name=test, callspec=call, nodeid=f"{test}-{name}-{place}")


def outcomes_of(*passed):
    """The outcomes of a law's two tests, each passed or not, for one method."""
    outcomes = evidence.Outcomes()
    items = [item("test_law_1_ranks", NAME, place) for place in range(len(passed))]
    others = [item("test_law_1_ranks", OTHER, 0), SimpleNamespace(name="test_x", nodeid="x")]
    outcomes.pytest_collection_modifyitems([*items, *others])
    for each, is_passed in zip(items, passed, strict=True):
        for when in ("setup", "call", "teardown"):
            report = SimpleNamespace(nodeid=each.nodeid, when=when, passed=is_passed)
            outcomes.pytest_runtest_logreport(report)
    return outcomes


def test_a_cell_counts_the_tests_that_passed():
    assert outcomes_of(True, True).cell(NAME, "laws") == "2"
    assert outcomes_of(True, False).cell(NAME, "laws") == "1 of 2"
    assert outcomes_of(True).cell(OTHER, "laws") == "0 of 1"
    assert outcomes_of(True).cell(NAME, "ranks") == "0"


def test_every_column_has_tests():
    text = "".join((evidence.ROOT / file).read_text() for file in evidence.FILES)
    for column, begins in evidence.COLUMNS.items():
        for name in begins:
            assert f"def {name}" in text, (column, name)


def test_a_run_is_within_four_standard_errors_of_exact_moments():
    assert 0.0 < float(evidence.moments(method())) < 4.0


def test_a_method_without_exact_moments_has_an_empty_cell():
    assert evidence.moments(method(K=periods.DispersionControl(spread=1.0))) == ""


@pytest.mark.parametrize("name", METHODS)
def test_a_path_is_compared_with_torch_or_with_the_transcription(name):
    found = evidence.numbers(name).removeprefix("torch ")
    assert float(found) < 1e-11


def test_every_method_has_a_cost(monkeypatch):
    monkeypatch.setattr(evidence, "REPETITIONS", 1)
    monkeypatch.setattr(evidence, "LEAST", 0.0)
    found = evidence.costs()
    assert list(found) == list(METHODS)
    assert min(found.values()) > 0
