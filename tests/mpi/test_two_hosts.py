"""Two hosts with a cable between them: the bits of one process, and an end if the cable breaks."""

import re
import subprocess
import sys

import pytest
from helpers.hosts import NotPermitted, two_hosts, wait_for
from helpers.launch import TESTS, run_kavg, run_process
from helpers.run_folder import read_digest, read_environment
from helpers.settings import m_avg, write_settings

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]

SCRIPT = TESTS / "mpi" / "names_its_host.py"
DIM, ROUNDS, REPLICAS = 100, 30, 8


def write_small(path, **changes):
    """Settings of which a round sends much, and for which a host may take long to begin."""
    small = {"rounds": ROUNDS, "replicas": REPLICAS, "figures": False, "timeout": 60}
    objective = {"kind": "cosine", "dim": DIM}
    return write_settings(path, objective=objective, algorithm=[m_avg()], **small | changes)


@pytest.fixture
def hosts(tmp_path):
    try:
        with two_hosts(tmp_path) as made:
            yield made
    except NotPermitted as reason:
        pytest.skip(f"no two hosts here: {reason}")


@pytest.fixture
def config(tmp_path):
    return write_small(tmp_path / "small.toml")


def test_two_hosts_find_the_digest_of_one_process(hosts, config, tmp_path):
    words = ["run", config, "-q", "--out"]
    serial = run_kavg(*words, tmp_path / "serial")
    assert serial.returncode == 0, serial.stderr
    before = [hosts.sent(host) for host in (0, 1)]
    command = [sys.executable, SCRIPT, *words, tmp_path / "two"]
    job = run_process(hosts.command(2, *command), seconds=60)
    assert job.returncode == 0, job.stderr
    places = dict(re.findall(r"rank (\d) is on (\w+)", job.stderr))
    first, second = hosts.names
    assert places == {"0": first, "1": first, "2": second, "3": second}
    # Each host must hear the other's sum, or half of it twice, in every round.
    least = ROUNDS * REPLICAS * DIM * 8
    sent = [hosts.sent(host) - was for host, was in zip((0, 1), before, strict=True)]
    assert min(sent) > least, sent
    assert read_digest(tmp_path / "two") == read_digest(tmp_path / "serial")
    assert read_environment(tmp_path / "two")["ranks"] == 4


def test_a_cable_that_breaks_ends_the_job_on_both_sides(hosts, config, tmp_path):
    write_small(config, rounds=100_000_000, record={"every": 1_000_000}, timeout=6)
    words = ["run", str(config), "--out", str(tmp_path / "two")]
    command = hosts.command(2, sys.executable, "-m", "kavg", *words)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as job:
        try:
            assert "M-AVG" in job.stderr.readline()  # the first round is done
            hosts.cut()
            _, said = job.communicate(timeout=40)
        finally:
            job.kill()
    assert job.returncode != 0
    (line,) = [line for line in said.splitlines() if line.startswith("kavg: ")]
    assert re.fullmatch(
        r"kavg: ranks 2, 3 have not responded for 6 s \(round \d+ of M-AVG\); aborting", line
    )
    # The other side hears neither us nor the launcher, and ends by itself.
    wait_for(lambda: not hosts.processes())
    assert not (tmp_path / "two").exists()
