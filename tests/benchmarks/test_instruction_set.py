"""An instruction set is asked of every library, and a process confirms that it took effect."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from experiments.benchmarks.instruction_set import (
    WIDER,
    XLA,
    InstructionSet,
    Observed,
    confirm,
    describe,
    limits,
    observe_apart,
)
from experiments.benchmarks.processes import ONE_THREAD, worker_variables
from kavg.cli.environment import simd_extensions
from kavg.errors import KavgError

AVX2, NATIVE = InstructionSet.AVX2, InstructionSet.NATIVE
HELD = Observed(["X86_V2", "X86_V3"], [], "AVX2", f"--a {XLA}")


def test_the_native_set_limits_nothing():
    assert limits(NATIVE, [], {}) == {}
    confirm(NATIVE, Observed(["AVX512F"], [], "AVX512", ""))


@pytest.mark.parametrize(
    ("found", "off"),
    [
        (["X86_V2", "X86_V3"], None),
        (["X86_V2", "X86_V3", "X86_V4", "AVX512_ICL"], "X86_V4 AVX512_ICL"),
        (["SSE42", "AVX2", "AVX512F", "AVX512_SKX"], "AVX512F AVX512_SKX"),
    ],
)
def test_numpy_is_told_only_what_it_has_and_is_wider(found, off):
    assert limits(AVX2, found, {}).get("NPY_DISABLE_CPU_FEATURES") == off


def test_what_was_disabled_before_stays_so():
    given = {"NPY_DISABLE_CPU_FEATURES": "X86_V4, FMA3"}
    held = limits(AVX2, ["AVX2", "AVX512F"], given)
    assert held["NPY_DISABLE_CPU_FEATURES"] == "X86_V4, FMA3 AVX512F"


def test_a_machine_without_avx2_is_refused():
    with pytest.raises(KavgError, match="needs a processor with AVX2; NumPy found NEON ASIMD"):
        limits(AVX2, ["NEON", "ASIMD"], {})


def test_flags_of_xla_are_added_to_those_that_are_set(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=x")
    monkeypatch.setattr("experiments.benchmarks.processes.simd_extensions", lambda: ["AVX2"])
    both = f"--xla_dump_to=x {ONE_THREAD['XLA_FLAGS']}"
    assert worker_variables(NATIVE)["XLA_FLAGS"] == both
    assert worker_variables(AVX2)["XLA_FLAGS"] == f"{both} {XLA}"
    told = worker_variables(AVX2)
    assert told["ATEN_CPU_CAPABILITY"] == "avx2"
    assert told["OPENBLAS_CORETYPE"] == "Haswell"
    assert told["JAX_PLATFORMS"] == "cpu"


@pytest.mark.parametrize(
    ("seen", "complaint"),
    [
        (replace(HELD, extensions=["X86_V3", "X86_V4"]), "NumPy still uses X86_V4"),
        (replace(HELD, torch="AVX512"), "PyTorch uses AVX512"),
        (replace(HELD, blas=[{"architecture": "SkylakeX"}]), "BLAS uses skylakex"),
        (replace(HELD, xla_flags=f"{XLA}_VNNI"), f"XLA_FLAGS lack {XLA} "),
    ],
)
def test_a_library_that_uses_more_is_named(seen, complaint):
    confirm(AVX2, replace(HELD, torch=""))
    confirm(AVX2, replace(HELD, blas=[{"architecture": "Haswell"}, {"architecture": None}]))
    confirm(AVX2, HELD)
    with pytest.raises(KavgError, match=re.escape(complaint)):
        confirm(AVX2, seen)


def test_a_process_says_that_it_is_held_to_avx2():
    try:
        variables = worker_variables(AVX2)
    except KavgError:
        pytest.skip("no AVX2 here")
    seen = observe_apart(variables)
    confirm(AVX2, seen)
    assert {name for name in simd_extensions() if not name.startswith(WIDER)} == set(
        seen.extensions
    )
    assert describe(AVX2, seen).endswith(f"JAX {XLA}")


def test_a_process_that_fails_is_reported():
    with pytest.raises(KavgError, match="could not be asked"):
        observe_apart({"PYTHONHOME": "/nowhere"})
