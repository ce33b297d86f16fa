"""What may have changed the last bits since a run, session by session."""

from __future__ import annotations

import pytest

from kavg.reports.repetition import (
    BIT_DEPENDENCIES,
    MACHINE_DEPENDENCIES,
    NAMES,
    environment_changes,
    flatten_environment,
)

HERE = {
    "machine": "x86_64",
    "processor": "A",
    "c_library": "glibc 2.36",
    "simd": "SSE2 AVX2",
    "blas": "openblas 0.3.29 Haswell",
    "ranks": 2,
    "arithmetic": 2,
    "versions": {"numpy": "2.4.0", "kavg": "1.0"},
    "python": "3.11",
    "cores": 8,
    "time": "now",
}


def test_nothing_changed():
    assert environment_changes(HERE, HERE, "allreduce") == []
    assert environment_changes(HERE | {"earlier": [HERE, HERE]}, HERE, "allreduce") == []
    other = {"python": "3.12", "ranks": 3, "cores": 2, "time": "then"}
    other["versions"] = HERE["versions"] | {"scipy": "2"}
    assert environment_changes(HERE | other, HERE, "exact") == []


@pytest.mark.parametrize("place", BIT_DEPENDENCIES)
def test_each_change_is_named_with_its_reason(place):
    first, _, second = place.partition(".")
    other = HERE | ({first: HERE[first] | {second: "B"}} if second else {first: "B"})
    name = NAMES.get(place, second or first)
    (change,) = environment_changes(other, HERE, "allreduce")
    now = HERE[first][second] if second else HERE[first]
    assert change == f"{name} {now} (then B): {BIT_DEPENDENCIES[place]}"
    (change,) = environment_changes(HERE | {"earlier": [other, HERE]}, HERE, "allreduce")
    assert change == f"{name} {now} (then B in session 1 of 3): {BIT_DEPENDENCIES[place]}"


@pytest.mark.parametrize("place", BIT_DEPENDENCIES)
def test_bits_that_are_the_same_on_any_machine_depend_on_versions_alone(place):
    first, _, second = place.partition(".")
    other = HERE | ({first: HERE[first] | {second: "B"}} if second else {first: "B"})
    changes = environment_changes(other, HERE, "allreduce", "any machine")
    assert len(changes) == (place not in MACHINE_DEPENDENCIES)
    expected = "the same bits are expected" in "".join(changes)
    assert expected == (place in ("machine", "versions.numpy"))
    for promise in ("one kind of machine", "unknown"):
        assert len(environment_changes(other, HERE, "allreduce", promise)) == 1


def test_a_plain_mean_depends_on_the_mpi_library_of_several_ranks():
    promise = "any machine with the same ranks and MPI"
    for ranks, mean, said in (
        (2, "allreduce", ["ranks 2 of B (then 2 of A): sums of mean = 'allreduce' differ"]),
        (2, "exact", []),
        (1, "allreduce", []),
    ):
        then, now = (HERE | {"ranks": ranks, "mpi": mpi} for mpi in "AB")
        assert environment_changes(then, now | {"processor": "B"}, mean, promise) == said


def test_sessions_of_one_processor_are_named_together():
    sessions = [HERE | {"processor": processor} for processor in "BABC"]
    (change,) = environment_changes(HERE | {"earlier": sessions}, HERE, "exact")
    assert change.startswith("processor A (then B in session 1, 3 of 5, C in session 4 of 5): ")


def test_what_was_not_recorded_may_have_been_another():
    older = {key: value for key, value in HERE.items() if key != "c_library"}
    (change,) = environment_changes(older, HERE, "exact")
    assert change.startswith("C library glibc 2.36 (then not recorded): ")


@pytest.mark.parametrize("mpi", [None, 3, "", "  MPICH  Version: 4"])
def test_spaces_of_a_library_are_its_own(mpi):
    known = flatten_environment({"ranks": 3, "mpi": mpi})["ranks"]
    assert known == ("3 of MPICH Version: 4" if isinstance(mpi, str) and mpi else 3)


@pytest.mark.parametrize("earlier", [None, "x", 3, [3, None], [[]], {"a": 1}])
def test_a_record_that_was_tampered_with_is_no_error(earlier):
    assert isinstance(environment_changes({"earlier": earlier}, HERE, "exact"), list)
