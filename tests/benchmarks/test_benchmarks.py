"""Timings: fair turns, ratios within a repetition, tables that fit; no time is asserted."""

from __future__ import annotations

import sys
import time
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.benchmarks import processes as launch
from experiments.benchmarks import startup, worker
from experiments.benchmarks import timing as measure
from experiments.benchmarks.contestants import contestant as contest
from experiments.benchmarks.contestants import roster as contestants
from experiments.benchmarks.contestants.contestant import LeftOut, needed, repeated
from experiments.benchmarks.contestants.method_contestants import PARTS
from experiments.benchmarks.cpu_affinity import pinnable_cores, pinned
from experiments.benchmarks.instruction_set import XLA
from experiments.benchmarks.normals import PRECISIONS, addressed, fillers
from experiments.benchmarks.ratios import Measured, spread
from experiments.benchmarks.reports.report import Report
from experiments.benchmarks.reports.tables import format_digits, measurement_tables
from experiments.benchmarks.reports.text_table import WIDTH, TextTable
from experiments.benchmarks.timing import CPU, WALL
from experiments.benchmarks.workloads import ALONE, GROUPS, chosen, double_well, workloads
from kavg.engine.communicator import SerialComm
from kavg.errors import KavgError
from kavg.oracles.box_muller import PolarNormals
from kavg.oracles.normals import Normals

positive = st.floats(1e-6, 1e3)
repetitions = st.lists(st.tuples(positive, positive, positive), min_size=1, max_size=9)


@given(repetitions)
def test_a_machine_that_slows_down_does_not_move_a_ratio(rows):
    ours, theirs, slower = np.array(rows).T
    calm, busy = spread(ours, theirs), spread(ours * slower, theirs * slower)
    np.testing.assert_allclose(busy.median, calm.median)
    np.testing.assert_allclose(busy.quartiles, calm.quartiles)
    np.testing.assert_allclose(busy.range, calm.range)


@given(repetitions)
def test_a_spread_is_in_order_and_turns_over(rows):
    ours, theirs, _ = np.array(rows).T
    there, back = spread(ours, theirs), spread(theirs, ours)
    in_order = [there.range[0], *there.quartiles, there.range[1]]
    assert in_order == sorted(in_order)
    assert there.quartiles[0] <= there.median <= there.quartiles[1]
    np.testing.assert_allclose(1 / np.array(back.range), there.range[::-1])


def test_a_ratio_by_hand():
    assert spread([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]).median == 2.0


class FakeClock:
    """Time that passes only as told; ``turns`` are who ran, ``goes`` how often at a time."""

    def __init__(self, cost):
        self.cost, self.turns = cost, []

    def __call__(self, repeat, times):
        repeat(times)
        self.turns.append((self.now, times))
        return self.cost[self.now] * times

    def contestant(self, name):
        def repeat(times):
            self.now = name

        return repeat


def contest_of(cost, repetitions=5, least=1.0, seed=0):
    clock = FakeClock(cost)
    everyone = {name: clock.contestant(name) for name in cost}
    found, notes = measure.interleaved(everyone, repetitions, least, clock=clock, seed=seed)
    return clock, found, notes


def test_each_repetition_has_every_contestant_once_in_a_new_order():
    clock, found, notes = contest_of(dict.fromkeys("abcd", 1.0), repetitions=8)
    turns = [name for name, _ in clock.turns[-32:]]
    rounds = [tuple(turns[i : i + 4]) for i in range(0, 32, 4)]
    assert all(sorted(each) == list("abcd") for each in rounds)
    assert len(set(rounds)) > 2
    assert notes == {}
    assert all(len(times) == 8 for times in found.values())


def test_the_order_is_a_function_of_the_seed():
    def turns(seed):
        return contest_of(dict.fromkeys("abcd", 1.0), seed=seed)[0].turns

    assert turns(1) == turns(1) != turns(2)


@given(st.floats(1e-5, 5.0), st.floats(0.01, 1.0))
def test_a_contestant_runs_for_the_least_time_and_not_far_longer(cost, least):
    clock = FakeClock({"a": cost})
    times = measure.goes(clock.contestant("a"), least, clock)
    assert times * cost >= least
    assert times == 1 or times * cost <= 16 * least + 2 * cost


def test_a_contestant_that_takes_too_long_is_left_out():
    _, found, notes = contest_of({"quick": 0.1, "slow": 100.0})
    assert list(found) == ["quick"]
    assert notes == {"slow": "100 s for a single go"}


def test_cpu_time_does_not_pass_while_a_process_sleeps():
    asleep, awake = repeated(lambda: time.sleep(0.05)), repeated(lambda: sum(range(100_000)))
    assert measure.cpu_stopwatch(asleep, 4) < 0.2 <= measure.stopwatch(asleep, 4)
    assert measure.cpu_stopwatch(awake, 4) > 0


def test_garbage_is_collected_before_and_not_while_clocks_run():
    import gc

    with measure.no_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_missing_library_is_named_with_its_cure(monkeypatch):
    monkeypatch.setattr(contest, "find_spec", lambda name: None)
    with pytest.raises(LeftOut, match=r"torch is not installed: pip install 'kavg\[bench\]'"):
        needed("torch")


def test_a_contestant_that_is_not_installed_is_noted_and_left_out(monkeypatch):
    monkeypatch.setattr(contest, "find_spec", lambda name: None)
    tiny = double_well("tiny", P=2, K=2, R=2, d=3)
    ready, notes = contestants.prepared(contestants.roster(tiny))
    assert set(notes) == {
        "PyTorch", "PyTorch, float32 normals", "JAX", "JAX, float32 normals", "JAX, a call a round",
    }  # fmt: skip
    assert next(iter(ready)) == "kavg"
    assert list(ready)[-1] == "floor"


def test_a_workload_of_too_many_steps_is_left_out():
    roster = contestants.roster(double_well("wide", P=10**5, K=8, R=1, d=1))
    with pytest.raises(LeftOut, match="800000 steps one by one"):
        roster["NumPy loop"]()


def test_every_group_of_workloads_says_its_sizes():
    pytest.importorskip("sklearn")
    for group in ALONE:
        for quick in (True, False):
            for each in workloads(group, quick=quick):
                assert {"P", "K", "R", "d"} <= set(each.sizes)
                assert each.coordinates == np.prod([each.sizes[letter] for letter in "PKRd"])


def test_methods_take_turns_with_plain_sgd(tmp_path):
    job = worker.Job("methods", 2, 0.0, True, str(tmp_path / "results"))
    found = worker.methods(job, double_well("tiny", P=4, K=8, R=1, d=3))
    assert list(found.seconds) == list(PARTS)
    assert found.notes == {}
    (table,) = measurement_tables([found])
    assert [row[0] for row in table.rows] == list(PARTS)
    assert "plain SGD / it" in table.header


def test_every_contestant_draws_normals():
    ready, notes = contestants.prepared(fillers(2048))
    assert set(notes) <= {f"{who}, {p}" for who in ("JAX", "PyTorch") for p in PRECISIONS}
    for repeat in ready.values():
        repeat(2)
    for law in (Normals, PolarNormals):
        addressed(2**15, law)(1)


def test_groups_are_chosen_by_name():
    assert chosen(None) == list(GROUPS)
    assert chosen("startup,small") == ["small", "startup"]
    with pytest.raises(KavgError, match="no group of workloads 'digit'; use 'digits'"):
        chosen("digit")
    with pytest.raises(KavgError, match="there are elementwise, small"):
        chosen("zzz")


FACTS = {
    "processor": "a processor", "cores": 2, "core": 0, "platform": "a system", "python": "3",
    "versions": {"numpy": "2"} | {f"library{i}": "1.2.3" for i in range(20)},
    "isa": "avx2", "instructions": {
        "extensions": ["X86_V2"], "torch": "AVX2", "xla_flags": XLA,
        "blas": [{"internal_api": "openblas", "version": "0.3", "architecture": None}],
    },
    "variables": {"OPENBLAS_CORETYPE": "Haswell"}, "given": {"XLA_FLAGS": "--a b"}, "load": [0.5],
}  # fmt: skip


def a_measurement(name="one", ladder="", seconds=None, **about):
    seconds = seconds or {"kavg": [1.0, 2.0, 4.0], "JAX": [2.0, 4.0, 4.0]}
    sizes = {"P": 4, "d": 1000}
    return Measured("small", name, sizes, "ns", 10.0, seconds, ladder=ladder, **about)


def test_a_table_by_hand():
    found = a_measurement(notes={"PyTorch": "not there"}, remark="a remark")
    assert measurement_tables([found])[0].text().split("\n") == [
        "one: P = 4, d = 1000",
        "  wall time in ns",
        "           time  kavg / it       quartiles  least to most",
        "  kavg     20.0",
        "  JAX      40.0      0.500  0.500 to 0.750  0.500 to 1.00",
        "  PyTorch     -",
        "  PyTorch: not there",
        "  a remark",
    ]


def test_a_series_by_hand():
    later = a_measurement("grow", "d", {"kavg": [1.0]}, notes={"JAX": "asleep"})
    early, late = a_measurement("grow", "d"), Measured(**vars(later) | {"sizes": {"P": 4, "d": 20}})
    (grid,) = measurement_tables([early, late])
    assert grid.text().split("\n") == [
        "grow: P = 4",
        "  kavg, wall time in ns; then kavg / it [quartiles]",
        "  d     kavg                JAX",
        "  10^3  20.0  .500 [.500, .750]",
        "  20    10.0                  -",
        "  d = 20: JAX: asleep",
    ]


def test_without_the_reference_times_have_no_ratio():
    found = a_measurement(seconds={"JAX": [2.0]}, notes={"kavg": "not available"})
    text = measurement_tables([found])[0].text()
    assert "JAX   20.0" in text
    assert "kavg     -" in text
    (series,) = measurement_tables([a_measurement("s", "d", {"JAX": [2.0]})])
    assert series.rows == [("10^3", "-", "-")]


def everything():
    """One measurement of every workload that there is, with times of all sizes."""
    rng = np.random.Generator(np.random.PCG64(1))

    def seconds(names):
        return {name: list(np.exp(2 * rng.standard_normal(7))) for name in names}

    for group in ALONE:
        if group == "digits":
            continue
        for each in workloads(group):
            about = (group, each.name, each.sizes, "ns per learner, step and coordinate", 1e4)
            yield Measured(*about, seconds(contestants.roster(each)), ladder=each.ladder)
    from experiments.benchmarks import two_ranks

    nobody = two_ranks.World(SerialComm(), "")
    for d in two_ranks.SIZES:
        about = ("ranks", "averages", {"d": d}, "us an average", 1e6)
        yield Measured(*about, seconds(two_ranks.averages(10, nobody)), ladder="d")
    yield Measured("noise", "normals", {"n": 10}, "ns", 1.0, seconds(fillers(16)))


def test_every_table_fits_the_width_and_keeps_its_columns():
    report = Report(FACTS, 7, list(everything()))
    assert max(map(len, report.text().split("\n"))) <= WIDTH
    for grid in measurement_tables(report.found):
        table = [line for line in grid.markdown().split("\n") if line.startswith("|")]
        assert len(table) == len(grid.rows) + 2
        assert len({line.count("|") for line in table}) == 1


def test_the_report_says_what_the_times_depend_on():
    for text in (Report(FACTS, 7, []).text(), Report(FACTS, 7, []).markdown()):
        for fact in ("a processor", "core 0", "numpy 2", "openblas", "OPENBLAS_CORETYPE=Haswell"):
            assert fact in text
        assert "over 7 repetitions" in " ".join(text.split())


@given(st.floats(1e-4, 1e7))
def test_digits_are_true_and_few(value):
    text = format_digits(value)
    assert "e" not in text
    assert float(text) == pytest.approx(value, rel=5.1e-3, abs=5.1e-4)


def test_measurements_survive_the_file(tmp_path):
    told = worker.Job("small", 1, 0.0, True, str(tmp_path / "results"))
    found = a_measurement(notes={"JAX": "no"}, remark="yes")
    worker.leave(told, found)
    worker.leave(told, a_measurement())
    assert launch.read(tmp_path / "results") == [found, a_measurement()]
    assert launch.read(tmp_path / "nothing") == []


def test_a_worker_measures_its_group(tmp_path, monkeypatch):
    monkeypatch.setattr(contest, "find_spec", lambda name: None)
    worker.work(worker.Job("one_replica", 2, 0.0, True, str(tmp_path / "results")))
    (found,) = launch.read(tmp_path / "results")
    assert found.name == "one small replica"
    assert len(found.seconds["kavg"]) == len(found.seconds["floor"]) == 2
    assert found.ratio("NumPy loop").median > 0
    assert found.clock == CPU
    assert found.remark.startswith("the floor: words ")


@pytest.mark.parametrize("clock", [CPU, WALL])
def test_a_worker_measures_normals_by_the_clock_it_is_told(tmp_path, monkeypatch, clock):
    monkeypatch.setattr(contest, "find_spec", lambda name: None)
    monkeypatch.setattr(worker, "SIZES", (64,))
    worker.work(worker.Job("noise", 1, 0.0, True, str(tmp_path / "results"), clock))
    (found,) = launch.read(tmp_path / "results")
    assert found.clock == clock
    assert {"kavg", "kavg, Box and Muller", "floor"} <= set(found.seconds)


def test_without_its_data_a_workload_is_noted(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    worker.work(worker.Job("digits", 1, 0.0, True, str(tmp_path / "results")))
    (found,) = launch.read(tmp_path / "results")
    assert "scikit-learn" in found.notes["all"]


def test_a_process_stays_on_its_core_for_as_long_as_asked():
    before = pinnable_cores()
    if not before:
        pytest.skip("this system does not tell")
    with pinned(before[-1]):
        assert pinnable_cores() == before[-1:]
    assert pinnable_cores() == before
    with pinned(None):
        assert pinnable_cores() == before


def test_commands_are_started_and_their_failures_reported():
    startup.starter({}, ["-c", "pass"])()(1)
    with pytest.raises(LeftOut, match="failed: NameError"):
        startup.starter({}, ["-c", "nonsense"])()(1)
    ready, notes = contestants.prepared({"x": startup.starter({}, ["-c", "import no_such_thing"])})
    assert (ready, list(notes)) == ({}, ["x"])


def test_a_worker_that_crashes_is_reported(tmp_path, monkeypatch):
    plan = launch.Plan(1, 0.0, True, None)
    crash = [sys.executable, "-c", "raise SystemExit(9)"]
    monkeypatch.setattr(launch, "alone", lambda job: crash)
    (found,) = launch.measure("small", plan)
    assert found.notes == {"not measured": "its process failed with code 9"}


def test_the_figure_shows_every_panel_there_is_something_for():
    pytest.importorskip("matplotlib")
    from experiments.benchmarks.reports.figure import bench_figure

    figure = bench_figure(list(everything()))
    assert len(figure.axes) == 1 + 3 + 1 + 1
    assert figure.axes[0].get_xscale() == "log"
    drawn = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"JAX", "PyTorch", "floor", "gloo"} <= drawn
    with pytest.raises(KavgError, match="nothing to draw"):
        bench_figure([])


def test_no_text_of_the_figure_meets_another_or_leaves_it():
    pytest.importorskip("matplotlib")
    from experiments.benchmarks.reports.figure import bench_figure

    names = [f"a workload with a long name {i}" for i in range(9)]
    seconds = {name: [1e-8] for name in ("kavg", "JAX")}
    rows = [Measured("single", name, {"P": 1}, "ns", 1e9, seconds) for name in names]
    for P in (1, 10**6):
        unit = "ns per learner, step and coordinate"
        rows.append(Measured("scale", "scaling in P", {"P": P}, unit, 1e9, seconds, ladder="P"))
    bars = {f"a generator of numbers {i}": [1e-9] for i in range(13)}
    rows.append(Measured("noise", "normals", {"n": 1}, "ns", 1e9, bars))
    figure = bench_figure(rows)
    figure.draw_without_rendering()
    for panel in figure.axes:
        boxes = [text.get_window_extent() for text in panel.get_yticklabels() if text.get_text()]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
        title = panel.title.get_window_extent()
        assert figure.bbox.x0 <= title.x0 <= title.x1 <= figure.bbox.x1


def test_names_are_unique_in_markdown_and_text():
    grid = TextTable("t", "c", ("", "x"), (("a", "1"), ("bb", "22")), ("n",))
    assert grid.text().split("\n")[2:] == ["       x", "  a    1", "  bb  22", "  n"]
    assert Counter(grid.markdown())["|"] == 12


def test_a_repeated_call_is_made_that_many_times():
    calls = []
    repeated(lambda: calls.append(1))(3)
    assert len(calls) == 3


@pytest.mark.mpi
def test_two_ranks_take_turns_together():
    pytest.importorskip("mpi4py")
    plan = launch.Plan(1, 0.0, True, None)
    found = launch.measure("ranks", plan)
    assert [each.notes.get("not measured") for each in found] == [None] * len(found)
    assert {each.name for each in found} == {
        "2 ranks against 1", "rounds on 2 ranks", "the average of 2 ranks alone",
    }  # fmt: skip
    assert all("kavg" in each.seconds for each in found)
    assert {"MPI, d numbers", "kavg, plain sum"} <= set(found[-1].seconds)
