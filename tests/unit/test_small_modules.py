"""Progress, environment, catalogue."""

import io
import json

import pytest

from kavg import KavgError, objectives, oracles, outer, schedules, starts
from kavg.catalogue import catalogue
from kavg.environment import LAUNCHERS, environment, launcher
from kavg.progress import Lines, bar, shown_on


def test_lines_are_said_at_each_tenth_and_not_more_often():
    stream = io.StringIO()
    lines = Lines(stream, seconds=0.0)
    for n in range(1, 101):
        lines("M-AVG", n, 100)
    assert len(stream.getvalue().splitlines()) == 11
    assert stream.getvalue().splitlines()[-1] == bar("M-AVG", 100, 100)


def test_lines_wait_but_never_miss_the_end():
    stream = io.StringIO()
    lines = Lines(stream, seconds=3600.0)
    for name in ("K-AVG", "M-AVG"):
        for n in range(1, 101):
            lines(name, n, 100)
    ends = [line for line in stream.getvalue().splitlines() if "round 100 of 100" in line]
    assert len(ends) == 2


def test_a_terminal_gets_a_moving_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with shown_on(stream) as progress:
        progress("[bold]K", 1, 2)
        progress("[bold]K", 2, 2)
    assert "[bold]K" in stream.getvalue()
    assert "100%" in stream.getvalue()


@pytest.mark.parametrize("variable", LAUNCHERS)
def test_launchers_are_known_by_their_variables(variable):
    assert launcher({variable: "2"}) == LAUNCHERS[variable]
    assert launcher({"PATH": "/bin"}) is None


def test_the_environment_is_json():
    facts = json.loads(json.dumps(environment(ranks=3, mpi=None)))
    assert facts["ranks"] == 3
    assert "numpy" in facts["versions"]


def test_the_catalogue_names_every_kind():
    page = catalogue()
    for family in (objectives, oracles, outer, schedules, starts):
        for kind in family.KINDS:
            assert f"  {kind}(" in page
    assert page.count("f_star = ") == len(objectives.KINDS)
    for how in ("exact", "upper bound", "estimated"):
        assert f"({how})" in page
    assert max(map(len, page.splitlines())) <= 78


def test_the_catalogue_refuses_what_it_does_not_have():
    with pytest.raises(KavgError, match="no list of 'fruits'"):
        catalogue("fruits")
