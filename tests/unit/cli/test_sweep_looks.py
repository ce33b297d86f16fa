"""``kavg sweep --until``: its budgets, what is spent, and the table ``[sweep.until]``."""

from __future__ import annotations

import pytest
from helpers.settings import k_avg
from helpers.sweep import SWEEP, all_digests, read_sweep, write_sweep

from kavg.cli.sweeps import looks
from kavg.cli.sweeps.saved_sweep import parse_options
from kavg.errors import KavgError
from kavg.storage.checkpoints import Checkpoint
from kavg.sweeps.judgement.look_budget import LookBudget, parse_look_budget

NEVER = ["--until", "width=1e-9"]
"""An aim that nothing reaches."""


@pytest.fixture(autouse=True)
def here(empty):
    """An empty folder with the settings of a small sweep; no launcher."""
    write_sweep(empty / "my.toml")
    return empty


def sweep(call, *words):
    """What ``sweep.json`` says of a sweep, and what was printed."""
    code, out, err = call("sweep", "my.toml", "--force", *words)
    assert code == 0, err
    return read_sweep("runs/my"), " ".join(out.split())


def cost(stage):
    return sum(stage["gradients"])


def test_all_looks_are_counted_in_what_was_spent(call):
    found, _ = sweep(call, *NEVER, "--budget", "12")
    first, last = found["stages"]
    assert last["replicas"] == 12
    # Looks at 3, 6 and 12 replicas, each from the first replica on.
    looked = cost(last) // 12 * (3 + 6 + 12)
    assert found["spent"]["gradients"] == cost(first) + looked
    assert found["spent"]["runs"] == 12 + 3 * 4
    assert sum(winner["gradients"] for winner in found["winners"]) == cost(first) + looked


@pytest.mark.parametrize("share", [0.999, 1.0])
def test_gradients_are_never_more_than_the_budget(call, share):
    most, _ = sweep(call, *NEVER, "--budget", "6")
    digests = all_digests("runs/my")
    limit = share * most["spent"]["gradients"]
    found, out = sweep(call, *NEVER, "--budget", f"gradients={limit!r}")
    assert found["spent"]["gradients"] <= limit
    assert found["until"]["ended_by"] == "gradients"
    assert found["stages"][-1]["replicas"] == (3 if share < 1 else 6)
    assert (all_digests("runs/my") == digests) == (share == 1)
    assert f"width=1e-09 was not reached within {limit:.9g} gradients, at look" in out


def test_no_look_is_begun_after_the_seconds_and_its_bits_are_those_of_any_other(call, monkeypatch):
    sweep(call, *NEVER, "--budget", "6")
    digests = all_digests("runs/my")
    clock = iter(range(100))
    monkeypatch.setattr(looks.time, "process_time", lambda: float(next(clock)))
    found, out = sweep(call, *NEVER, "--budget", "seconds=1.5")
    assert found["until"]["ended_by"] == "seconds"
    assert found["until"]["budget"] == {"replicas": 48, "seconds": 1.5}
    assert found["stages"][-1]["replicas"] == 6
    assert all_digests("runs/my") == digests
    assert "within 1.5 seconds, at look 2" in out


def test_levels_follow_from_the_planned_looks_and_not_from_the_other_limits(call):
    plain, _ = sweep(call, *NEVER, "--budget", "24")
    level = looks.plan_looks(3, 24)[0].level
    found, _ = sweep(call, *NEVER, "--budget", "replicas=24,gradients=1,seconds=1e9")
    assert (found["until"]["look"], found["until"]["looks"]) == (1, 4)
    assert found["until"]["level"] == found["level"] == level > plain["until"]["level"]


def test_the_table_says_what_the_options_say_and_options_take_its_place(call, here):
    by_options, _ = sweep(call, "--until", "width=0.2", "--budget", "12")
    until = {"width": 0.2, "replicas": 12}
    write_sweep(here / "my.toml", sweep=SWEEP | {"until": until})
    by_table, _ = sweep(call)
    assert by_table["until"] == by_options["until"]
    assert by_table["stages"] == by_options["stages"]
    code, out, err = call("verify", "runs/my", "-q")
    assert code == 0, out + err
    other, _ = sweep(call, "--budget", "3")
    assert other["until"]["budget"] == {"replicas": 3}
    other, _ = sweep(call, *NEVER)
    assert other["until"]["aim"] == "width=1e-09"
    assert other["stages"][-1]["replicas"] == 12


def test_decided_in_the_table(call, here):
    write_sweep(here / "my.toml", sweep=SWEEP | {"until": {"decided": True, "replicas": 6}})
    assert sweep(call)[0]["until"]["aim"] == "decided"
    write_sweep(here / "my.toml", algorithm=[k_avg()], sweep=SWEEP | {"until": {"decided": True}})
    code, _, err = call("sweep", "my.toml", "--out", "other")
    assert code == 2
    assert "compares algorithms" in err


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        ({}, "exactly one of width = 0.05"),
        ({"width": 0.1, "decided": True}, "got both"),
        ({"width": 0.0}, "width"),
        ({"width": 0.1, "gradients": -1.0}, "gradients"),
        ({"width": 0.1, "rounds": 3}, "rounds"),
    ],
)
def test_a_wrong_table_exits_2_and_names_its_place(call, here, until, reason):
    write_sweep(here / "my.toml", sweep=SWEEP | {"until": until})
    code, out, err = call("sweep", "my.toml")
    assert (code, out) == (2, "")
    assert "sweep.until" in err
    assert reason in err
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    "text",
    ["", "many", "1.5", "rounds=3", "gradients=", "seconds=x", "3,4", "gradients=1=2"],
)
def test_a_wrong_budget_is_refused_in_a_sentence(text):
    with pytest.raises(KavgError, match="--budget must be a number of replicas or NAME=VALUE"):
        parse_look_budget(text)


@pytest.mark.parametrize("text", ["replicas=0", "gradients=0", "seconds=nan", "seconds=-1"])
def test_a_budget_out_of_range_is_refused(text):
    with pytest.raises(KavgError, match=f"^{text.partition('=')[0]} must be"):
        parse_look_budget(text)


def test_limits_of_a_budget_are_read_by_name():
    assert parse_look_budget("gradients=1e9, seconds=60") == LookBudget(None, 1e9, 60.0)
    assert parse_look_budget("64,seconds=60") == LookBudget(64, None, 60.0)


def test_a_stopped_sweep_of_an_older_kavg_has_its_budget_as_a_number():
    begun = Checkpoint("", "", (), [{}], {"until": "width=0.1", "budget": 24})
    assert parse_options(begun).budget == "24"
