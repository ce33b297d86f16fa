"""Every planted fault is caught, every check catches one, and the program as it is passes all."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from museum.checks import CHECKS
from museum.grid import grid, page
from museum.variants import VARIANTS

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "museum.md"
found = cache(grid)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_program_as_it_is_passes(check):
    check.run()


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_fault_is_caught(variant):
    assert found()[variant.name]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_catches_a_fault(check):
    assert any(check.name in names for names in found().values())


@pytest.mark.parametrize("kind", ["law", "exact", "verdict"])
def test_every_kind_of_check_catches_faults(kind):
    names = {check.name for check in CHECKS if check.kind.startswith(kind)}
    assert sum(bool(names & set(caught)) for caught in found().values()) >= 5


def test_there_are_enough_variants_and_nothing_stays_planted():
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS) >= 15
    found()
    for check in CHECKS:
        check.run()


def test_the_page_is_what_the_program_prints():
    assert page(found()).rstrip() + "\n<!-- end -->\n" in PAGE.read_text(encoding="utf-8")


def piece(fault, folder):
    job = subprocess.run(
        [sys.executable, "-m", "museum.piece", fault, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (TESTS.parent, TESTS)))},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return job.returncode, job.stdout + job.stderr


@pytest.mark.parametrize(
    ("fault", "code"), [("gamma applied twice", 3), ("sigma2 per coordinate", 3), ("", 0)]
)
def test_the_command_leaves_with_3_when_a_theorem_is_violated(fault, code, tmp_path):
    returned, words = piece(fault, tmp_path / "run")
    assert returned == code, words
    assert ("VIOLATED" in words) == (code == 3)
    assert ("HOLDS" in words) or code == 3


def test_a_fault_that_is_not_there_is_refused(tmp_path):
    returned, words = piece("no such fault", tmp_path / "run")
    assert returned == 1
    assert "sigma2 per coordinate" in words
