"""``kavg compare``: runs at an equal budget, from their folders to the table and its files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from helpers.run_folder import change_environment, list_files
from helpers.settings import k_avg, m_avg, write_settings

from kavg.storage import load_trajectories


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder with one settings file of two algorithms with 8 replicas."""
    write_settings(empty / "my.toml", rounds=12, replicas=8)
    return empty


@pytest.fixture
def compare(call):
    """``compare("a", ...) -> (stdout, stderr, JSON)`` of a comparison that succeeds."""

    def compare(*words):
        code, out, err = call("compare", *words, "--json", "found.json")
        assert code == 0, err
        return out, err, json.loads(Path("found.json").read_text())

    return compare


def rounds_of(found):
    return [each["round"] for each in found["groups"][0]["methods"]]


def test_the_algorithms_of_one_run_are_paired_with_the_first(compare, run):
    run("a")
    out, _, found = compare("a", "--quantity", "F")
    (group,) = found["groups"]
    assert group["budget"] == {"axis": "gradients", "amount": 168.0, "is_largest_common": True}
    assert (group["baseline"], rounds_of(found)) == ("K-AVG", [12, 12])
    (contrast,) = group["contrasts"]
    assert (contrast["paired"], contrast["unshared"], contrast["replicas"]) == (True, [], [8, 8])
    a, b = load_trajectories("a")
    assert group["methods"][1]["mean"] == b.F[-1].mean()
    assert contrast["difference"]["mean"] == pytest.approx((b.F[-1] - a.F[-1]).mean())
    assert contrast["ratio"]["mean"] == pytest.approx(b.F[-1].mean() / a.F[-1].mean())
    assert out.startswith("F at 168 gradients, the most that all have\n")
    assert "\n  paired with K-AVG by replica: all; 8 replicas\n" in out
    assert max(map(len, out.splitlines())) <= 80


def test_runs_of_one_seed_in_two_folders_are_paired(compare, run):
    run("a")
    run("b", "--set", "algorithm.*.K=4", "--set", "rounds=9", "--set", "dtype=float32")
    _, _, found = compare("a", "b")
    group = found["groups"][0]
    assert [each["label"] for each in group["methods"]] == [
        "K-AVG (a)", "M-AVG (a)", "K-AVG (b)", "M-AVG (b)",
    ]  # fmt: skip
    assert rounds_of(found) == [12, 12, 6, 6]
    assert [each["paired"] for each in group["contrasts"]] == [True] * 3


@pytest.mark.parametrize(
    ("change", "word"),
    [("seed=2", "seed"), ("start=1.5", "start"), ("oracle.sigma2=2.0", "oracle"),
     ("objective.omega=2.0", "objective")],
)  # fmt: skip
def test_runs_with_other_noise_are_not_paired_and_it_is_said(compare, run, change, word):
    run("a")
    run("b", "--set", change)
    out, err, found = compare("a", "b")
    contrasts = found["groups"][0]["contrasts"]
    assert [each["unshared"] for each in contrasts] == [[], [word], [word]]
    said = " ".join(out.split())
    assert "paired with K-AVG (a) by replica: M-AVG (a); 8 replicas" in said
    assert (
        f"not paired with K-AVG (a): K-AVG (b), M-AVG (b); other {word}, 8 and 8 independent"
        in said
    )
    is_other_problem = word in ("objective", "start")
    assert (f"K-AVG (a) and K-AVG (b) have different {word}: " in err) is is_other_problem


def test_other_arithmetic_is_neither_paired_nor_silent(compare, run, monkeypatch):
    run("a")
    run("b")
    from kavg.cli.comparisons import candidates

    load = candidates.load_run

    def load_old(folder, **options):
        from dataclasses import replace

        config, runs = load(folder, **options)
        return config, [replace(each, arithmetic=1) for each in runs] if folder == Path(
            "b"
        ) else runs

    monkeypatch.setattr(candidates, "load_run", load_old)
    _, err, found = compare("a", "b")
    assert found["groups"][0]["contrasts"][1]["unshared"] == ["arithmetic"]
    assert "K-AVG (a) and K-AVG (b) were run with different arithmetic of kavg" in err


def test_other_data_are_a_warning(compare, run):
    run("a")
    run("b")
    change_environment(Path("b"), data="ab" * 32)
    _, err, found = compare("a", "b")
    assert found["groups"][0]["contrasts"][1]["unshared"] == ["data"]
    assert "K-AVG (a) and K-AVG (b) have different data: " in err


def test_equal_gamma_with_another_mu_is_a_warning(compare, run):
    run("a")
    _, err, found = compare("a")
    (warning,) = found["warnings"]
    assert warning in err
    assert warning == (
        "K-AVG and M-AVG have the same gamma = 0.05, with mu = 0 and 0.5: their effective steps "
        "gamma/(1 - mu) are 0.05 and 0.1; tune both (kavg sweep), or compare at an equal "
        "effective step"
    )
    run("b", "--set", "algorithm.M-AVG.gamma=0.025")
    assert compare("b")[2]["warnings"] == []


def test_few_replicas_are_a_warning(compare, run):
    run("a", "--set", "replicas=3", "--set", "algorithm.M-AVG.gamma=0.025")
    _, err, _ = compare("a")
    assert err.startswith("kavg: 3 replicas: ")
    run("b", "--set", "replicas=1", "--set", "algorithm.M-AVG.gamma=0.025")
    out, err, found = compare("b")
    assert err.startswith("kavg: one replica has no confidence interval")
    assert "undecided" in out
    assert found["groups"][0]["contrasts"][0]["difference"]["low"] is None


def test_times_to_a_target_in_the_unit_of_the_budget(compare, run):
    run("a", "--set", "rounds=60", "--set", "objective.A=0.1")
    at = ("a", "--target", "fraction=0.2", "--quantity", "F")
    out, _, found = compare(*at, "--at", "communications")
    (group,) = found["groups"]
    first, second = (each["time"]["mean"] for each in group["methods"])
    speed_up = group["contrasts"][0]["speed_up"]
    assert speed_up["mean"] == pytest.approx(first / second, rel=0.05)
    assert speed_up["low"] < first / second < speed_up["high"]
    assert "communications until the mean of F <= " in out
    assert "(isotonic regression)" in out
    assert re.search(r"speed-up over K-AVG:\n  M-AVG  \d", out)
    _, _, gradients = compare(*at)
    assert gradients["groups"][0]["methods"][0]["time"]["mean"] == pytest.approx(14 * first)


def test_a_target_that_is_not_reached_is_said_so(compare, run):
    run("a")
    out, _, found = compare("a", "--target", "F=1e-9")
    assert found["quantity"] == "F"
    assert found["groups"][0]["methods"][0]["time"]["mean"] is None
    assert "K-AVG  not within 168 (0 of 8 replicas)" in out
    assert compare("a", "--target", "F=1e-9", "--latex", "t.tex")
    assert r" & \textgreater{} $168$ & " in Path("t.tex").read_text()


def test_where_some_replicas_do_not_arrive_their_own_times_are_shown(compare, run):
    run("a", "--set", "rounds=60", "--set", "objective.A=0.1")
    out, _, found = compare("a", "--target", "F=5e-4", "--rule", "first")
    first, second = found["groups"][0]["methods"]
    assert (first["time"]["reached"], second["time"]["reached"]) == (7, 3)
    assert first["arrivals"]["median"]["mean"] < 840
    assert second["arrivals"]["median"]["mean"] is None
    assert first["arrivals"]["mean"]["until"] == 840
    assert first["arrivals"]["mean"]["mean"] < second["arrivals"]["mean"]["mean"] < 840
    words = r"median time of a single replica \(Kaplan-Meier\):\n  K-AVG  \S+ \[\S+, \S+\]\n"
    assert re.search(words + "  M-AVG  not within 840\n", out)
    assert "mean time of a single replica, 840 where it is later:\n  K-AVG  " in out
    out, _, found = compare("a", "--target", "F=1")
    assert found["groups"][0]["methods"][0]["arrivals"] is None
    assert "single replica" not in out


def test_a_speed_up_of_unequal_numbers_of_replicas_says_that_it_is_not_paired(compare, run):
    run("a")
    run("b", "--set", "replicas=10")
    out, _, found = compare("a", "b", "--target", "F=1")
    same, other = found["groups"][0]["contrasts"][:2]
    assert (same["speed_up_paired"], other["speed_up_paired"]) == (True, False)
    assert out.count("(not paired: unequal numbers of replicas)") == 2


def test_the_coverage_at_few_replicas_is_part_of_the_table(compare, run):
    run("a")
    run("b", "--set", "replicas=32")
    words = "95 % intervals cover 82 % at 8, 88 % at 16"
    assert words in " ".join(compare("a")[0].split())
    assert words not in " ".join(compare("b")[0].split())


def test_a_clock_and_a_budget_of_time(compare, run):
    run("a", "--set", "algorithm.M-AVG.K=4")
    _, _, found = compare("a", "--at", "time=100", "--clock", "step=1,communication=10")
    assert rounds_of(found) == [8, 7]
    assert found["clock"] == {"step": 1.0, "communication": 10.0}
    assert [each["used"] for each in found["groups"][0]["methods"]] == [96.0, 98.0]


def test_what_a_budget_leaves_is_said(compare, run):
    run("a", "--set", "record.every=5", "--set", "algorithm.M-AVG.K=3")
    out, _, found = compare("a", "--at", "gradients=160")
    assert rounds_of(found) == [10, 5]
    assert re.search(r"  K-AVG  .*, used 140\n  M-AVG  .*, used 105\n", out)


def test_another_baseline(compare, run):
    run("a")
    _, _, found = compare("a", "--baseline", "M-AVG")
    (group,) = found["groups"]
    assert (group["baseline"], group["contrasts"][0]["method"]) == ("M-AVG", "K-AVG")


def test_a_diverged_run_is_a_row_without_numbers(compare, run):
    run("a", "--set", "algorithm.M-AVG.gamma=1e200")
    out, _, found = compare("a")
    assert re.search(r"  M-AVG  diverged at round \d+\n", out)
    contrast = found["groups"][0]["contrasts"][0]
    assert (contrast["difference"], contrast["ratio"], contrast["speed_up"]) == (None, None, None)


def test_all_files_are_written(call, run):
    run("a")
    code, out, _ = call("compare", "a", "--out", "new/place", "--latex", "table.tex")
    assert code == 0
    files = {"comparison.txt", "comparison.json", "comparison.tex"}
    assert files <= list_files("new/place")
    assert Path("table.tex").read_text() == Path("new/place/comparison.tex").read_text()
    text = Path("new/place/comparison.txt").read_text()
    assert out.startswith(text)
    assert out.splitlines()[-1].startswith("new/place")


def test_the_same_on_every_run(call, run):
    run("a")
    first = call("compare", "a", "--target", "fraction=0.5", "--json", "one.json")
    second = call("compare", "a", "--target", "fraction=0.5", "--json", "two.json")
    assert first == (second[0], second[1].replace("two", "one"), second[2])
    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--at", "rounds=3"], "--at must be one of gradients, communications, time, "),
        (["--at", "gradients=many"], "--at needs a number, got 'many'"),
        (["--at", "gradients=0"], "amount must be "),
        (["--at", "gradients=9999"], "gradients must be at most 168, where 'K-AVG' ends"),
        (["--at", "gradients=1"], "'K-AVG' has no recorded round but its start"),
        (["--at", "time"], "--at time needs --clock"),
        (["--clock", "latency=3"], "--clock must be step=S,communication=C"),
        (["--target", "0.1"], "--target must be QUANTITY=VALUE"),
        (["--target", "fraction=2"], "fraction must be "),
        (["--target", "speed=2"], "'K-AVG' did not record 'speed'; it has F, "),
        (["--target", "floor=2"], "exact"),
        (["--quantity", "speed"], "'K-AVG' did not record 'speed'; it has F, "),
        (["--baseline", "B"], "--baseline must be one of 'K-AVG', 'M-AVG', got 'B'"),
        (["--level", "0"], "level must be "),
        (["nothing"], "there is no folder 'nothing'"),
        (["--json", "my.toml/x"], "cannot write 'my.toml/x'"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(call, run, words, message):
    run("a")
    code, out, err = call("compare", "a", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_one_method_is_no_comparison(call, run, here):
    write_settings(here / "my.toml", algorithm=[k_avg()])
    run("a")
    code, _, err = call("compare", "a")
    assert (code, err) == (
        2,
        "kavg: a comparison needs two or more methods, got one; give another folder\n",
    )


def test_the_same_folder_twice_has_labels_of_its_own(compare, run):
    run("a")
    _, _, found = compare("a", "a")
    assert [each["label"] for each in found["groups"][0]["methods"]] == [
        "K-AVG (a) #1", "M-AVG (a) #1", "K-AVG (a) #2", "M-AVG (a) #2",
    ]  # fmt: skip


def test_names_cannot_write_to_the_terminal_or_break_latex(call, run, here):
    names = ["50 % & {x}_1 \\ $ # ^ ~", "[bold]*`<|>"]
    write_settings(here / "my.toml", algorithm=[k_avg(name=names[0]), m_avg(name=names[1])])
    run("a")
    code, out, _ = call("compare", "a", "--latex", "t.tex")
    assert code == 0
    assert "[bold]*`<|>" in out
    lines = Path("t.tex").read_text().splitlines()
    row = next(line for line in lines if line.startswith("{}50"))
    assert row.startswith(
        r"{}50 \% \& \{x\}\_1 \textbackslash{} \$ \# \textasciicircum{} \textasciitilde{} & "
    )


def write_logistic(place, data):
    """Settings of logistic regression over a table of 40 examples, in a file beside them."""
    data.parent.mkdir(exist_ok=True)
    examples = ((i * 7 % 11, i * 5 % 13) for i in range(40))
    lines = (f"{a},{b},{int(a + b > 11)}\n" for a, b in examples)
    data.write_text("".join(["a,b,label\n", *lines]))
    return write_settings(
        place,
        rounds=60, replicas=8, start=0.0,
        objective={"kind": "logistic_regression", "data": str(data), "alpha": 0.01},
        oracle={"kind": "minibatch", "B": 4},
        algorithm=[k_avg(P=2, gamma=0.5), m_avg(P=2, gamma=0.25)],
    )  # fmt: skip


def test_the_same_data_at_another_place_are_the_same_noise(compare, run, here):
    write_logistic(here / "my.toml", here / "one" / "table.csv")
    run("a")
    write_logistic(here / "my.toml", here / "two" / "table.csv")
    run("b")
    (here / "one" / "table.csv").unlink()  # comparing reads no data
    _, _, found = compare("a", "b", "--target", "train_accuracy=0.7")
    group = found["groups"][0]
    assert [each["paired"] for each in group["contrasts"]] == [True] * 3
    assert (found["target"]["above"], found["quantity"]) == (0.7, "train_accuracy")
    assert group["methods"][0]["B"] == 4
    assert group["methods"][0]["time"]["mean"] > 0  # it is below 0.7 at the start
