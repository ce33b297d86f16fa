"""One pinned digest a run, whatever instructions, kernels and threads the libraries use."""

from __future__ import annotations

import platform

import pytest
from bits.levels import digests_at, levels
from bits.runs import differences, read_golden

LEVELS = levels()


@pytest.fixture(scope="module")
def answers():
    """What each level computes; computed once for all tests."""
    return {}


def answer_at(answers, level):
    if level not in answers:
        answers[level] = digests_at(LEVELS[level])
    return answers[level]


@pytest.mark.parametrize("level", LEVELS)
def test_every_run_has_its_golden_digest(answers, level):
    found = answer_at(answers, level)
    others = differences(found["digests"], read_golden())
    assert not others, (
        f"{len(others)} of {len(found['digests']) - 1} digests are not those of golden.json with "
        f"{level} ({found['uses']}): {'; '.join(others[:40])}; `python tests/bits/trace.py NAME` "
        "says where two levels part"
    )
    assert found["digests"]["all"] == read_golden()["all"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_what_it_says(answers, level):
    variables, uses = LEVELS[level], answer_at(answers, level)["uses"]
    disabled = set(variables.get("NPY_DISABLE_CPU_FEATURES", "").split())
    assert not disabled & set(uses["simd"])
    if "OPENBLAS_CORETYPE" in variables:
        assert uses["blas"].split()[-1] == variables["OPENBLAS_CORETYPE"]
    if "OPENBLAS_NUM_THREADS" in variables:
        assert uses["threads"] <= int(variables["OPENBLAS_NUM_THREADS"])


def test_levels_change_the_functions_that_kavg_avoids(answers):
    """Otherwise equal digests would say nothing."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("what the extensions of other architectures change is not known")
    columns = {"NPY_DISABLE_CPU_FEATURES": "NumPy", "OPENBLAS_CORETYPE": "BLAS"}
    columns |= {"GLIBC_TUNABLES": "C library"}
    for variable, function in columns.items():
        names = [name for name, variables in LEVELS.items() if variable in variables]
        if not names:
            continue
        results = {answer_at(answers, name)["uses"]["functions"][function] for name in LEVELS}
        assert len(results) > 1, f"{variable} has no effect on {function} here: {names}"
